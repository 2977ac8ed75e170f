# What all pipelines share: where the lake is, which days are sessions, and the
# keys of partitions.

variable "lake" {
  type        = string
  default     = "lake"
  description = "Lake root: a directory"
}

variable "semantics" {
  type        = string
  default     = "corrected"
  description = "corrected, or reference: the numbers of the system that this one replaces, defects included"
  validation {
    condition     = contains(["corrected", "reference"], var.semantics)
    error_message = "semantics is \"corrected\" or \"reference\"."
  }
}

variable "lean" {
  type        = bool
  default     = false
  description = "Keep no book events beyond bronze: the stages between them and the bars run inside those that read them"
}

lake { root = var.lake }

# Sessions are the weekdays on which New York trades. On the listed holidays the
# US stock market is closed all day. CME's index futures trade on most of them,
# until about 13:00 New York; these sessions are left out on purpose, as they are
# shortened and thin. The list ends with 2030: from then on every weekday counts,
# until the years that follow are added.
calendar "cme" {
  timezone = "America/New_York"
  weekdays = ["mon", "tue", "wed", "thu", "fri"]
  holidays = [for row in csvdecode(file("calendars/cme_holidays.csv")) : row.date]
}

# ES of ESU5. Every dataset with symbol has root too.
key "root" {
  type    = string
  pattern = "^[A-Z0-9]{1,6}$"
  derive  = regex("^([A-Z0-9]+?)[FGHJKMNQUVXZ][0-9]{1,2}$", key.symbol)[0]
}

key "symbol" {
  type    = string
  pattern = "^[A-Z0-9]{1,12}$"
}

key "dt" {
  type     = date
  calendar = calendar.cme
}
