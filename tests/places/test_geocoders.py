import time

import pytest
from geopy.exc import GeocoderServiceError, GeopyError

from geo.geocoders import Cascade, Provider, remote


def nominatim(stub, path=""):
    return remote("nominatim", url=stub.url + path, user_agent="hudna-test", pause_s=0)


def test_the_local_answer_comes_first_and_asks_nobody(gazetteer, stub):
    cascade = Cascade([Provider("local", gazetteer), nominatim(stub)])
    outcome = cascade.ask("Baghdad")
    assert outcome.provider == "local"
    assert outcome.places[0].raw["provider"] == "local"
    assert stub.asked == []


def test_what_the_local_one_does_not_know_is_asked_on(gazetteer, stub):
    cascade = Cascade([Provider("local", gazetteer), nominatim(stub)])
    place = cascade.geocode("Nowhereville")
    assert (place.latitude, place.longitude, place.raw["provider"]) == (2.5, 1.5, "nominatim")
    assert len(stub.asked) == 1


def test_what_nobody_knows_is_nothing(gazetteer, stub):
    cascade = Cascade([Provider("local", gazetteer), nominatim(stub)])
    assert cascade.geocode("Xyzzy Qwfp") is None


def test_a_failure_is_noted_and_the_next_is_asked(stub):
    photon = remote("photon", url=stub.url + "/photon", user_agent="hudna-test", pause_s=0)
    outcome = Cascade([nominatim(stub, "/broken"), photon]).ask("Nowhereville")
    assert outcome.provider == "photon"
    (failure,) = outcome.failures
    assert failure.provider == "nominatim"
    assert "GeocoderServiceError" in failure.error


def test_a_failure_does_not_look_like_an_unknown_place(stub):
    outcome = Cascade([nominatim(stub, "/broken"), nominatim(stub)]).ask("Xyzzy Qwfp")
    assert outcome.places == ()
    assert [failure.provider for failure in outcome.failures] == ["nominatim"]


def test_when_all_fail_the_last_error_is_raised_with_the_others_noted(stub):
    cascade = Cascade([nominatim(stub, "/broken"), nominatim(stub, "/broken/too")])
    with pytest.raises(GeocoderServiceError) as caught:
        cascade.geocode("Nowhereville")
    assert "nominatim failed before" in caught.value.__notes__[0]


def test_a_dead_server_is_a_failure():
    dead = remote("nominatim", url="http://127.0.0.1:9", user_agent="hudna-test", pause_s=0)
    with pytest.raises(GeopyError):
        Cascade([dead]).geocode("Nowhereville")


def test_points_are_asked_in_turn_as_well(gazetteer, stub):
    assert Cascade([nominatim(stub)]).reverse((2.5, 1.5)).address == "There"
    local = Cascade([Provider("local", gazetteer), nominatim(stub)])
    assert local.reverse((33.31405, 38.70342)).address == "Rukban"


def test_calls_keep_their_distance(stub):
    paced = remote("nominatim", url=stub.url, user_agent="hudna-test", pause_s=0.2)
    cascade = Cascade([paced])
    started = time.monotonic()
    for _ in range(3):
        cascade.geocode("Nowhereville")
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize(
    ("kind", "url"), [("google", "https://example.org"), ("nominatim", "example.org")]
)
def test_settings_that_make_no_geocoder_are_refused(kind, url):
    with pytest.raises(ValueError, match=r"is none of|begin with"):
        remote(kind, url=url, user_agent="hudna-test")
