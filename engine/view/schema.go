package view

import (
	"embed"
	"io/fs"
	"strings"
)

const schemaSuffix = ".schema.json"

//go:embed schemas/*.schema.json
var schemas embed.FS

// SchemaNames lists the documents that Schema knows, in order.
func SchemaNames() []string {
	entries, err := fs.ReadDir(schemas, "schemas")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), schemaSuffix))
	}
	return names
}

// Schema returns the JSON Schema (draft 2020-12) of a document, nil for an
// unknown name.
func Schema(name string) []byte {
	b, err := schemas.ReadFile("schemas/" + name + schemaSuffix)
	if err != nil {
		return nil
	}
	return b
}

// VersionDoc says which program this is, see schemas/version.schema.json.
type VersionDoc struct {
	Command       string `json:"command"`
	FormatVersion int    `json:"format_version"`
	Version       string `json:"version"`
	Revision      string `json:"revision,omitempty"` // of the sources
	Modified      bool   `json:"modified,omitempty"` // they were changed after that revision
	Go            string `json:"go"`
	Platform      string `json:"platform"`
}

// ResolvedDoc is an evaluated configuration, see schemas/resolved.schema.json.
type ResolvedDoc struct {
	Command       string `json:"command"`
	FormatVersion int    `json:"format_version"`
	Configuration any    `json:"configuration"`
}

// NewResolved wraps what config.Resolved returns.
func NewResolved(configuration any) ResolvedDoc {
	return ResolvedDoc{"show --resolved", formatVersion, configuration}
}

// SchemasDoc lists the documents that have a schema, see
// schemas/schema.schema.json.
type SchemasDoc struct {
	Command       string   `json:"command"`
	FormatVersion int      `json:"format_version"`
	Schemas       []string `json:"schemas"`
}

// NewSchemas wraps the names of schemas.
func NewSchemas(names []string) SchemasDoc { return SchemasDoc{"schema", formatVersion, names} }
