# What R's sf is made to do: test_r.py runs this. Its arguments: the address of the service, a box
# as WKT, a condition, each of the latter two maybe empty. It prints what it found.
suppressPackageStartupMessages(library(sf))
asked <- commandArgs(TRUE)
query <- if (nzchar(asked[3])) paste("SELECT * FROM events WHERE", asked[3]) else "SELECT * FROM events"
box <- if (nzchar(asked[2])) asked[2] else character(0)
events <- st_read(paste0("OAPIF:", asked[1]), query = query, wkt_filter = box, quiet = TRUE)
cat(sf_extSoftVersion()[["GDAL"]], events$source_id, sep = "\n")
