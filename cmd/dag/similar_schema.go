package main

import _ "embed"

// The schemas of what similar writes. They are here and not in engine/view,
// which knows of no market.
var (
	//go:embed similar.schema.json
	similarSchema []byte
	//go:embed similar_evaluate.schema.json
	evaluateSchema []byte
)

// marketSchemas are the schemas of this program beside those of view.
func marketSchemas() map[string][]byte {
	return map[string][]byte{"similar": similarSchema, "similar_evaluate": evaluateSchema}
}
