# Options on futures, from the vendor's daily files to the first three hours of
# the New York session:
#
#   dbn -> bronze -> silver *_clean -> gold *_first3h
#
# of trades, best bid and ask, and open interest.

locals {
  # The tables, and what their rows are sorted by.
  option_tables = {
    trades     = ["ts_event_ns", "seq", "option_symbol"]
    nbbo       = ["ts_event_ns", "seq", "option_symbol"]
    statistics = ["ts_event_ns"]
  }
}

source "raw" "future_option" "trades_dbn" {
  description = "Databento trades of all options of a root, a file a day"
  keys        = ["root", "dt"]
  path        = "raw/source=databento/product_type=future_option/symbol=${key.root}/table=trades_dbn"
  files       = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}

source "raw" "future_option" "mbp_1_dbn" {
  description = "Databento best bid and ask of all options of a root, a file a day: mbp-1, bbo or their consolidated kin (cmbp-1, cbbo)"
  keys        = ["root", "dt"]
  path        = "raw/source=databento/product_type=future_option/symbol=${key.root}/table=mbp_1_dbn"
  files       = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}

source "raw" "future_option" "statistics_dbn" {
  description = "Databento statistics of all options of a root, a file a day"
  keys        = ["root", "dt"]
  path        = "raw/source=databento/product_type=future_option/symbol=${key.root}/table=statistics_dbn"
  files       = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}

source "raw" "future_option" "definition_dbn" {
  description = "Databento instrument definitions of all options of a root, a file a day"
  keys        = ["root", "dt"]
  path        = "raw/source=databento/product_type=future_option/symbol=${key.root}/table=definition_dbn"
  files       = "*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"
}

dataset "bronze" "future_option" "table" {
  for_each    = toset(keys(local.option_tables))
  name        = each.key
  description = "Option ${each.key} of a root with strike, right and expiry"
  keys        = ["root", "dt"]
  path        = "bronze/source=databento/product_type=future_option/symbol=${key.root}/table=${each.key}"
  contract    = "bronze/future_option/${each.key}.avsc"
  sort        = local.option_tables[each.key]
}

stage "option_trades" {
  description = "Reads a day's option trades, each with the quote in force before it"
  transform   = "bronze.future_option.trades"
  input "trades" { from = source.raw.future_option.trades_dbn }
  input "quotes" { from = source.raw.future_option.mbp_1_dbn }
  input "definitions" { from = source.raw.future_option.definition_dbn }
  output "trades" { to = dataset.bronze.future_option.trades }
}

stage "option_nbbo" {
  description = "Reads a day's best bids and asks of options"
  transform   = "bronze.future_option.nbbo"
  input "quotes" { from = source.raw.future_option.mbp_1_dbn }
  input "definitions" { from = source.raw.future_option.definition_dbn }
  output "nbbo" { to = dataset.bronze.future_option.nbbo }
}

stage "option_statistics" {
  description = "Reads a day's open interest of options"
  transform   = "bronze.future_option.statistics"
  input "statistics" { from = source.raw.future_option.statistics_dbn }
  input "definitions" { from = source.raw.future_option.definition_dbn }
  output "statistics" { to = dataset.bronze.future_option.statistics }
}

dataset "silver" "future_option" "clean" {
  for_each    = toset(keys(local.option_tables))
  name        = "${each.key}_clean"
  description = "Option ${each.key} with New York time"
  keys        = ["root", "dt"]
  path        = "silver/product_type=future_option/symbol=${key.root}/table=${each.key}_clean"
  contract    = "silver/future_option/${each.key}_clean.avsc"
  sort        = local.option_tables[each.key]
}

stage "option_clean" {
  for_each    = toset(keys(local.option_tables))
  description = "Adds New York time to option ${each.key}"
  transform   = "silver.future_option.${each.key}_clean"
  input "rows" { from = dataset.bronze.future_option[each.key] }
  output "rows" { to = dataset.silver.future_option["${each.key}_clean"] }
}

dataset "gold" "future_option" "first3h" {
  for_each    = toset(keys(local.option_tables))
  name        = "${each.key}_first3h"
  description = "Option ${each.key} of the first three hours of the New York session"
  keys        = ["root", "dt"]
  path        = "gold/product_type=future_option/symbol=${key.root}/table=${each.key}_first3h"
  contract    = "gold/future_option/${each.key}_first3h.avsc"
  sort        = local.option_tables[each.key]
}

stage "option_first3h" {
  for_each    = toset(keys(local.option_tables))
  description = "Keeps option ${each.key} of 09:30 to 12:30 New York time, and what was in force at 09:30"
  transform   = "gold.future_option.${each.key}_first3h"
  input "rows" { from = dataset.silver.future_option["${each.key}_clean"] }
  output "rows" { to = dataset.gold.future_option["${each.key}_first3h"] }
}
