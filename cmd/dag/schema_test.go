package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dag/engine/manifest"
	"dag/engine/view"
)

// schemaCommand holds every JSON value of a file, or of stdout, to the schema
// of a name: schema plan stdout.
func schemaCommand(ts *testscript.TestScript, _ bool, args []string) {
	_, texts := schemaTexts()
	b := texts[args[0]]
	if b == nil {
		ts.Fatalf("there is no schema %s", args[0])
	}
	var schema map[string]any
	ts.Check(json.Unmarshal(b, &schema))
	values := 0
	for d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[1]))); d.More(); values++ {
		var v any
		ts.Check(d.Decode(&v))
		if err := conforms(schema, schema, v, "$"); err != nil {
			ts.Fatalf("%s: %v", args[0], err)
		}
	}
	if values == 0 {
		ts.Fatalf("%s holds no JSON", args[1])
	}
}

// conforms checks a value against the part of JSON Schema that our schemas use;
// a keyword that it does not know is an error.
func conforms(root, schema map[string]any, v any, at string) error {
	for keyword, want := range schema {
		var err error
		switch keyword {
		case "$schema", "$id", "$defs", "title", "description", "format", "pattern":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/$defs/")
			err = conforms(root, root["$defs"].(map[string]any)[name].(map[string]any), v, at)
		case "type":
			err = hasType(want, v)
		case "const":
			err = among([]any{want}, v)
		case "enum":
			err = among(want.([]any), v)
		case "minimum":
			if n, ok := v.(float64); ok && n < want.(float64) {
				err = fmt.Errorf("%v is less than %v", n, want)
			}
		case "items":
			items, _ := v.([]any)
			for i, item := range items {
				if err == nil {
					err = conforms(root, want.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))
				}
			}
		case "required":
			object, _ := v.(map[string]any)
			for _, name := range want.([]any) {
				if _, ok := object[name.(string)]; !ok && object != nil {
					err = fmt.Errorf("%s is missing", name)
				}
			}
		case "properties", "additionalProperties":
			err = hasProperties(root, schema, v, at)
		default:
			err = fmt.Errorf("the schema has the keyword %s", keyword)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func hasProperties(root, schema map[string]any, v any, at string) error {
	object, _ := v.(map[string]any)
	known, _ := schema["properties"].(map[string]any)
	for name, value := range object {
		sub, ok := known[name].(map[string]any)
		if !ok {
			if sub, ok = schema["additionalProperties"].(map[string]any); !ok {
				if schema["additionalProperties"] == false {
					return fmt.Errorf("%s is not in the schema", name)
				}
				continue
			}
		}
		if err := conforms(root, sub, value, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func hasType(want, v any) error {
	names, ok := want.([]any)
	if !ok {
		names = []any{want}
	}
	got := "null"
	switch v := v.(type) {
	case string:
		got = "string"
	case bool:
		got = "boolean"
	case map[string]any:
		got = "object"
	case []any:
		got = "array"
	case float64:
		got = "number"
		if v == float64(int64(v)) && slices.Contains(names, any("integer")) {
			got = "integer"
		}
	}
	return among(names, got)
}

func among(allowed []any, v any) error {
	if !slices.Contains(allowed, v) {
		return fmt.Errorf("%v is not one of %v", v, allowed)
	}
	return nil
}

// TestSchemas holds the schemas themselves: draft 2020-12, and a command and
// version in every document.
func TestSchemas(t *testing.T) {
	for _, name := range append(view.SchemaNames(), "manifest") {
		b := view.Schema(name)
		if name == "manifest" {
			b = manifest.Schema()
		}
		var s struct {
			Schema   string   `json:"$schema"`
			Required []string `json:"required"`
		}
		if err := json.NewDecoder(bytes.NewReader(b)).Decode(&s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.Schema != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s: $schema is %q", name, s.Schema)
		}
		if !slices.Contains(s.Required, "format_version") {
			t.Errorf("%s: format_version is not required", name)
		}
	}
}

// TestConforms shows that the checker of the scripts finds what is wrong.
func TestConforms(t *testing.T) {
	schema := map[string]any{
		"type": "object", "required": []any{"n"}, "additionalProperties": false,
		"properties": map[string]any{"n": map[string]any{"type": "integer", "minimum": 1.0}, "list": map[string]any{"type": "array", "items": map[string]any{"enum": []any{"a"}}}},
	}
	for text, want := range map[string]string{
		`{"n":1,"list":["a"]}`: "",
		`{}`:                   "$: n is missing",
		`{"n":0}`:              "$: $.n: 0 is less than 1",
		`{"n":"x"}`:            "$: $.n: string is not one of [integer]",
		`{"n":1.5}`:            "$: $.n: number is not one of [integer]",
		`{"n":1,"m":1}`:        "$: m is not in the schema",
		`{"n":1,"list":["b"]}`: "$: $.list: $.list[0]: b is not one of [a]",
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := conforms(schema, schema, v, "$"); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
