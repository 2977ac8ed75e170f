// Package contracts embeds the contracts of the shipped pipelines, one Avro
// record a dataset: <layer>/<product>/<table>.avsc.
package contracts

import "embed"

// FS holds the contracts by layer.
//
//go:embed bronze silver gold
var FS embed.FS
