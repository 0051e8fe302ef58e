"""From a filter to a condition in SQL (OGC 21-065r2, clauses 6 and 7).

Columns come from the queryables alone, operators and functions from tables, and every value is
bound. The types are checked here, so that what PostgreSQL gets cannot fail there. The condition is
NULL where the standard has it NULL: under WHERE, as FALSE, it excludes the row (6.2).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

from psycopg.sql import SQL, Composed

from api.cql2 import functions, literals, sets, times
from api.cql2.errors import Cql2Error, within
from api.cql2.nodes import (
    And,
    Arithmetic,
    Array,
    Between,
    Boolean,
    Box,
    Call,
    Compare,
    Date,
    Geometry,
    In,
    Insensitive,
    Interval,
    IsNull,
    Like,
    Node,
    Not,
    Number,
    Open,
    Or,
    Property,
    Relation,
    Text,
    Timestamp,
    fold,
)
from api.cql2.shapes import shape, spread
from api.cql2.terms import (
    INSTANTS,
    NUMERIC,
    Function,
    Piece,
    Queryable,
    Reading,
    Term,
    Type,
    Values,
    fill,
    flat,
    joined,
)

#: More than any filter needs; a function that repeats its arguments could still get here.
PIECES = 100_000


#: The literals by their types; a number may be whole, and the end that is open is no day.
LITERALS = {
    Text: Type.TEXT,
    Number: Type.NUMBER,
    Boolean: Type.BOOLEAN,
    Date: Type.DATE,
    Timestamp: Type.TIMESTAMP,
    Open: Type.DATE,
}


@dataclass(frozen=True)
class Compiled:
    """A condition, and the values that it binds by name."""

    sql: Composed
    values: dict[str, Any]


def compile(  # noqa: A001 - it is named for what it does, and used as cql2.compile
    expression: Node,
    queryables: Mapping[str, Queryable],
    *,
    prefix: str = "filter_",
    functions: Mapping[str, Function] = functions.FUNCTIONS,
    reading: Reading = Reading(),  # noqa: B008 - it is frozen
) -> Compiled:
    """Return the condition that `expression` is on rows with these `queryables`.

    Its placeholders are named `prefix` and a number. Geometries are read as `reading` says.

    Raises:
        Cql2Error: it names something unknown, or puts together what does not go together.
    """
    compiler = _Compiler(queryables, functions, reading, prefix)
    term = fold(expression, _operands, compiler.term)
    sql = list(islice(flat(compiler.condition(term)), PIECES + 1))
    within("pieces of SQL", len(sql), PIECES)
    return Compiled(Composed(sql), compiler.values.bound)


def _operands(node: Node) -> Sequence[Node]:
    """Return the parts that are terms: a pattern is none, but a part of its operator."""
    return node.parts[:1] if isinstance(node, Like) else node.parts


class _Compiler:
    def __init__(
        self,
        queryables: Mapping[str, Queryable],
        functions: Mapping[str, Function],
        reading: Reading,
        prefix: str,
    ) -> None:
        self.queryables, self.functions, self.reading = queryables, functions, reading
        self.values = Values(prefix, reading.srid)

    def term(self, node: Node, inner: list[Term]) -> Term:
        """Return `node`, whose parts are compiled, with its type."""
        if type(node) in LITERALS:
            kind = LITERALS[type(node)]
            value: Any = getattr(node, "value", None)
            if kind is Type.NUMBER and isinstance(value, int):
                kind = Type.INTEGER
            return Term(node.at, kind, value=value)
        if type(node) in self.PREDICATES:
            sql = self.PREDICATES[type(node)](self, node, inner)
            return Term(node.at, Type.BOOLEAN, sql)
        return self.OTHERS[type(node)](self, node, inner)

    def condition(self, term: Term) -> Piece:
        """Return the SQL of what is to be true or false."""
        if term.type is not Type.BOOLEAN:
            raise Cql2Error(f"Here is {term.type.value} where a condition is needed.", term.at)
        return self.values.sql(term)

    def _and(self, _: Node, inner: list[Term]) -> Piece:
        return joined(" AND ", [self.condition(term) for term in inner])

    def _or(self, _: Node, inner: list[Term]) -> Piece:
        return joined(" OR ", [self.condition(term) for term in inner])

    def _not(self, _: Node, inner: list[Term]) -> Piece:
        return fill("(NOT {})", self.condition(inner[0]))

    def _compare(self, node: Compare, inner: list[Term]) -> Piece:
        return fill(functions.COMPARISON[node.op], *self._comparable(inner))

    def _between(self, node: Between, inner: list[Term]) -> Piece:
        value, low, high = self._comparable(inner)
        if isinstance(node.value, Property):
            return fill("({} BETWEEN {} AND {})", value, low, high)
        return fill(functions.BETWEEN, low, high, value)

    def _like(self, node: Like, inner: list[Term]) -> Piece:
        return fill(functions.LIKE, self._text(inner[0]), self._pattern(node.pattern))

    def _shape(self, node: Geometry | Box, _: list[Term]) -> Term:
        return Term(node.at, Type.GEOMETRY, value=shape(node, self.reading))

    def _interval(self, node: Node, inner: list[Term]) -> Term:
        return times.interval(Term(node.at, Type.INTERVAL), *inner)

    def _array(self, node: Node, inner: list[Term]) -> Term:
        return Term(node.at, Type.ARRAY, items=tuple(inner))

    def _arithmetic(self, node: Arithmetic, inner: list[Term]) -> Term:
        sql = fill(functions.ARITHMETIC[node.op], *map(self._numeric, inner))
        return Term(node.at, Type.NUMBER, sql, exact=True)

    def _folded(self, node: Insensitive, inner: list[Term]) -> Term:
        return Term(node.at, Type.TEXT, self._insensitive(node.op, self._text(inner[0])))

    def _property(self, node: Property, _: list[Term]) -> Term:
        name = node.name
        found = self.queryables.get(name)
        if found is None:
            raise Cql2Error(f"There is no queryable {name!r}.", node.at)
        if found.type is Type.INTERVAL:
            kind, end = found.of or Type.DATE, found.end or found.sql
            ends = (Term(node.at, kind, found.sql), Term(node.at, kind, end))
            return Term(node.at, Type.INTERVAL, ends=ends)
        return Term(node.at, found.type, found.sql, of=found.of)

    def _call(self, node: Call, inner: list[Term]) -> Term:
        name = node.name
        function = self.functions.get(name)
        if function is None:
            raise Cql2Error(f"There is no function {name!r}.", node.at)
        if len(inner) != len(function.takes):
            count = len(function.takes)
            raise Cql2Error(f"{name!r} has {count} arguments, not {len(inner)}.", node.at)
        for term, types in zip(inner, function.takes, strict=True):
            if term.type not in types:
                wanted = " or ".join(sorted(kind.value for kind in types))
                raise Cql2Error(f"Here is {term.type.value}; {name!r} takes {wanted}.", term.at)
        sql = fill(function.sql, *(self._argument(term) for term in inner))
        return Term(node.at, function.returns, sql)

    def _argument(self, term: Term) -> Piece:
        sql = self.values.sql(term)
        if term.type is Type.TIMESTAMP:
            return fill("({} AT TIME ZONE 'UTC')", sql)
        return fill("{}::numeric", sql) if term.literal and term.type in NUMERIC else sql

    def _text(self, term: Term) -> Piece:
        if term.type is not Type.TEXT:
            raise Cql2Error(f"Here is {term.type.value} where a text is needed.", term.at)
        return self.values.sql(term)

    def _numeric(self, term: Term) -> Piece:
        """Return the SQL of a number as a numeric, in which arithmetic cannot overflow.

        A double goes there by way of its text: PostgreSQL's cast would round it to 15 digits.
        """
        if term.type not in NUMERIC:
            raise Cql2Error(f"Here is {term.type.value} where a number is needed.", term.at)
        sql = self.values.sql(term)
        if term.exact:
            return sql
        whole = term.literal or term.type is Type.INTEGER
        return fill("{}::numeric" if whole else "{}::text::numeric", sql)

    def _comparable(self, terms: list[Term]) -> list[Piece]:
        """Return the SQL of scalars that are compared with one another (6.3.2, 6.5)."""
        if any(term.type in INSTANTS for term in terms):
            terms = [times.as_instant(term) for term in terms]
        kinds = {term.type for term in terms}
        if kinds <= INSTANTS:
            return times.alike(self.values, terms)
        if kinds <= NUMERIC and any(term.exact for term in terms):
            return [self._numeric(term) for term in terms]
        if (len(kinds) == 1 and kinds <= {Type.TEXT, Type.BOOLEAN}) or kinds <= NUMERIC:
            return [self.values.sql(term) for term in terms]
        other = next((term for term in terms if term.type is not terms[0].type), terms[0])
        raise Cql2Error(
            f"{terms[0].type.value} and {other.type.value} cannot be compared.".capitalize(),
            other.at,
        )

    def _in(self, _: Node, inner: list[Term]) -> Piece:
        """Return the SQL of a membership (7.2), with the value written out once."""
        value, items = inner[0], inner[1:]
        kinds = {term.type for term in inner}
        if all(item.literal for item in items) and (len(kinds) == 1 or kinds <= NUMERIC):
            (sql,) = self._comparable([value])
            choice = sets.bound(self.values, value.type, [item.value for item in items])
        else:
            sql, *pieces = self._comparable(inner)
            choice = sets.listed(pieces)
        return fill("({} = ANY ({}))", sql, choice)

    def _insensitive(self, op: str, sql: Piece) -> Piece:
        if op == "casei":
            return fill(functions.CASEI, sql)
        bind = self.values.bind
        constants = (functions.MARKS, functions.STROKED, functions.PLAIN)
        return fill(functions.ACCENTI, sql, *(bind(text, "{}::text") for text in constants))

    def _pattern(self, node: Node) -> Piece:
        """Return the SQL of a pattern: a text, perhaps folded (7.2)."""
        around = []
        while isinstance(node, Insensitive):
            around.append(node.op)
            node = node.argument
        if not isinstance(node, Text):
            raise Cql2Error("A pattern is a text in quotes, or CASEI or ACCENTI of one.", node.at)
        sql = self.values.bind(literals.pattern(node.value, node.at), "{}::text")
        for op in reversed(around):
            sql = self._insensitive(op, sql)
        return sql

    def _is_null(self, _: Node, inner: list[Term]) -> Piece:
        """Return the SQL of a null test; an interval is null if both its ends are."""
        tests = [
            SQL("FALSE") if term.sql is None else fill("({} IS NULL)", term.sql)
            for term in inner[0].ends or inner
        ]
        return joined(" AND ", tests)

    def _related(self, node: Relation, inner: list[Term]) -> Piece:
        op = node.op
        if op.startswith("t_"):
            return times.related(self.values, op, *inner)
        wanted = Type.GEOMETRY if op.startswith("s_") else Type.ARRAY
        for term in inner:
            if term.type is not wanted:
                raise Cql2Error(
                    f"{op.upper()} relates {wanted.value} and another; this is {term.type.value}.",
                    term.at,
                )
        if wanted is Type.ARRAY:
            return sets.related(self.values, op, *inner)
        terms = [spread(op, term) for term in inner]
        return fill(functions.SPATIAL[op], *map(self.values.sql, terms))

    PREDICATES: ClassVar[dict[type[Node], Callable[..., Piece]]] = {
        And: _and,
        Or: _or,
        Not: _not,
        Compare: _compare,
        Between: _between,
        In: _in,
        Like: _like,
        IsNull: _is_null,
        Relation: _related,
    }
    OTHERS: ClassVar[dict[type[Node], Callable[..., Term]]] = {
        Geometry: _shape,
        Box: _shape,
        Property: _property,
        Interval: _interval,
        Array: _array,
        Arithmetic: _arithmetic,
        Insensitive: _folded,
        Call: _call,
    }
