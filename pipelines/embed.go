// Package pipelines embeds the shipped pipelines, so that a binary outside any
// project has them: what runs, on which days and symbols, and the calendars.
package pipelines

import "embed"

// FS holds the *.hcl files and the folder calendars.
//
//go:embed *.hcl calendars
var FS embed.FS
