# Futures, from the vendor's daily files of book events to the bars around the
# approach of a price to a level, and to what followed it:
#
#   dbn -> bronze -> silver -> session levels -> first 4 hours -> 5-second bars -> approaches
#       -> set-up vectors of the front month -> index

locals { levels = ["pm_high", "pm_low", "or_high", "or_low"] }

source "raw" "future" "market_by_price_10_dbn" {
  description = "Databento MBP-10 daily files, all contracts of a root in one"
  keys        = ["root", "dt"]
  path        = "raw/source=databento/product_type=future/symbol=${key.root}/table=market_by_price_10_dbn"
  files       = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}

dataset "bronze" "future" "market_by_price_10" {
  description = "Ten-level book events of one contract, one row an event"
  keys        = ["symbol", "dt"]
  path        = "bronze/source=databento/product_type=future/symbol=${key.symbol}/table=market_by_price_10"
  contract    = "bronze/future/market_by_price_10.avsc"
  sort        = ["ts_event"]
}

stage "ingest_mbp10" {
  description = "Splits the vendor's file of a day into its contracts"
  transform   = "bronze.future.mbp10"
  input "dbn" { from = source.raw.future.market_by_price_10_dbn }
  output "events" {
    to      = dataset.bronze.future.market_by_price_10
    fan_out = ["symbol"]
  }
}

dataset "silver" "future" "market_by_price_10" {
  description = "Book events with New York time"
  keys        = ["symbol", "dt"]
  path        = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10"
  contract    = "silver/future/market_by_price_10.avsc"
  sort        = ["ts_event"]
  stored      = !var.lean
}

stage "stamp_ny" {
  description = "Adds New York time to every event"
  transform   = "silver.future.mbp10"
  input "events" { from = dataset.bronze.future.market_by_price_10 }
  output "events" { to = dataset.silver.future.market_by_price_10 }
}

dataset "silver" "future" "market_by_price_10_session_levels" {
  description = "Book events with the day's pre-market and opening-range levels"
  keys        = ["symbol", "dt"]
  path        = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10_session_levels"
  contract    = "silver/future/market_by_price_10_session_levels.avsc"
  sort        = ["ts_event"]
  stored      = !var.lean
}

stage "session_levels" {
  description = "Finds the high and low of the pre-market and of the opening range"
  transform   = "silver.future.session_levels"
  input "events" { from = dataset.silver.future.market_by_price_10 }
  output "events" { to = dataset.silver.future.market_by_price_10_session_levels }
  params = { semantics = var.semantics }
}

dataset "silver" "future" "market_by_price_10_first4h" {
  description = "Book events of the first four hours of the New York session"
  keys        = ["symbol", "dt"]
  path        = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10_first4h"
  contract    = "silver/future/market_by_price_10_session_levels.avsc"
  sort        = ["ts_event"]
  stored      = !var.lean
}

stage "first4h" {
  description = "Keeps 08:30 to 12:30 New York time"
  transform   = "silver.future.first4h"
  input "events" { from = dataset.silver.future.market_by_price_10_session_levels }
  output "events" { to = dataset.silver.future.market_by_price_10_first4h }
}

dataset "silver" "future" "market_by_price_10_bar5s" {
  description = "Bars of 5 seconds: state, depth, flow and walls of the book"
  keys        = ["symbol", "dt"]
  path        = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10_bar5s"
  contract    = "silver/future/market_by_price_10_bar5s.avsc"
  sort        = ["bar_ts"]
}

stage "bar5s" {
  description = "Sums the events of every 5 seconds up"
  transform   = "silver.future.bar5s"
  input "events" { from = dataset.silver.future.market_by_price_10_first4h }
  output "bars" { to = dataset.silver.future.market_by_price_10_bar5s }
  params = { semantics = var.semantics }
}

dataset "silver" "future" "level_approach2m" {
  for_each    = toset(local.levels)
  name        = "market_by_price_10_${each.key}_approach2m"
  description = "Bars around each approach of the price to ${each.key}"
  keys        = ["symbol", "dt"]
  path        = "silver/product_type=future/symbol=${key.symbol}/table=market_by_price_10_${each.key}_approach2m"
  contract    = "silver/future/market_by_price_10_level_approach2m.avsc"
}

stage "approach" {
  for_each    = toset(local.levels)
  description = "Finds 2-minute candles that approach ${each.key}, and labels what follows"
  transform   = "silver.future.level_approach2m"
  input "bars" { from = dataset.silver.future.market_by_price_10_bar5s }
  input "levels" { from = dataset.silver.future.market_by_price_10_first4h }
  output "approach" { to = dataset.silver.future["market_by_price_10_${each.key}_approach2m"] }
  params = {
    level     = each.key
    semantics = var.semantics
  }
}

dataset "silver" "future" "front_month" {
  description = "The most traded contract of a root on each date, and its share"
  keys        = ["root", "dt"]
  path        = "silver/product_type=future/symbol=${key.root}/table=front_month"
  contract    = "silver/future/front_month.avsc"
}

stage "front_month" {
  description = "Decides the front month of a date from the trades of all contracts"
  transform   = "silver.future.front_month"
  input "events" {
    from    = dataset.bronze.future.market_by_price_10
    collect = ["symbol"]
  }
  output "front_month" { to = dataset.silver.future.front_month }
}

dataset "gold" "future" "setup_vectors" {
  description = "A vector of 256 numbers for every approach to a level in the front month, with its outcome"
  keys        = ["symbol", "dt"]
  path        = "gold/product_type=future/symbol=${key.symbol}/table=setup_vectors"
  contract    = "gold/future/setup_vectors.avsc"
}

stage "setup_vectors" {
  description = "Turns the candles up to each trigger into a vector; other contracts than the front month get none"
  transform   = "gold.future.setup_vectors"
  input "pm_high" { from = dataset.silver.future.market_by_price_10_pm_high_approach2m }
  input "pm_low" { from = dataset.silver.future.market_by_price_10_pm_low_approach2m }
  input "or_high" { from = dataset.silver.future.market_by_price_10_or_high_approach2m }
  input "or_low" { from = dataset.silver.future.market_by_price_10_or_low_approach2m }
  input "front_month" { from = dataset.silver.future.front_month }
  output "vectors" { to = dataset.gold.future.setup_vectors }
  params = { semantics = var.semantics }
}


dataset "gold" "future" "setup_index" {
  description = "Set-up vectors of a root with known outcome, as an exact index with the metadata of its episodes"
  keys        = ["root"]
  path        = "gold/product_type=future/symbol=${key.root}/table=setup_index"
  contract    = "gold/future/setup_index.avsc"
  tables = {
    parameters    = "gold/future/setup_index_parameters.avsc"
    features      = "gold/future/setup_index_features.avsc"
    dates         = "gold/future/setup_index_dates.avsc"
    normalisation = "gold/future/setup_index_normalisation.avsc"
  }
}

stage "setup_index" {
  description = "Gathers the set-up vectors of all contracts and days of a root"
  transform   = "gold.future.setup_index"
  input "vectors" {
    from    = dataset.gold.future.setup_vectors
    collect = ["symbol", "dt"]
  }
  output "index" { to = dataset.gold.future.setup_index }
  params = { semantics = var.semantics }
}
