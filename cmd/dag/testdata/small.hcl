# The first three stages of the shipped pipeline.

source "raw" "future" "market_by_price_10_dbn" {
  keys  = ["root", "dt"]
  path  = "raw/source=databento/product_type=future/symbol=${key.root}/table=market_by_price_10_dbn"
  files = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}

dataset "bronze" "future" "market_by_price_10" {
  keys     = ["symbol", "dt"]
  path     = "bronze/source=databento/product_type=future/symbol=${key.symbol}/table=market_by_price_10"
  contract = "bronze/future/market_by_price_10.avsc"
  sort     = ["ts_event"]
}

stage "ingest_mbp10" {
  transform = "bronze.future.mbp10"
  input "dbn" { from = source.raw.future.market_by_price_10_dbn }
  output "events" {
    to      = dataset.bronze.future.market_by_price_10
    fan_out = ["symbol"]
  }
}

dataset "silver" "future" "market_by_price_10" {
  keys     = ["symbol", "dt"]
  path     = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10"
  contract = "silver/future/market_by_price_10.avsc"
  sort     = ["ts_event"]
}

stage "stamp_ny" {
  transform = "silver.future.mbp10"
  tags      = ["time"]
  input "events" { from = dataset.bronze.future.market_by_price_10 }
  output "events" { to = dataset.silver.future.market_by_price_10 }
}

dataset "silver" "future" "market_by_price_10_session_levels" {
  keys     = ["symbol", "dt"]
  path     = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10_session_levels"
  contract = "silver/future/market_by_price_10_session_levels.avsc"
  sort     = ["ts_event"]
}

stage "session_levels" {
  transform = "silver.future.session_levels"
  input "events" { from = dataset.silver.future.market_by_price_10 }
  output "events" { to = dataset.silver.future.market_by_price_10_session_levels }
  params = { semantics = var.semantics }
}
