package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/hamba/avro/v2"

	"dag/engine/diag"
)

// The codes of Parse's diagnostics.
const (
	CodeInvalid     = "invalid_contract"
	CodeUnsupported = "unsupported_type"
)

const supported = "a contract is made of long, int, double, float, string, boolean and bytes, of arrays of them, and of unions [\"null\", T]"

// Parse reads the Avro schema of a record (spec 01 §2):
//
//	long → int64   int → int32   double → float64   float → float32
//	string → utf8   boolean → bool   bytes → binary
//	["null", T] and [T, "null"] → T, nullable   array of T → list of T
//
// Anything else is a diagnostic that names the field; path names the file in
// them. The contract is nil if there is any.
func Parse(path string, data []byte) (*Contract, diag.List) {
	p := parser{path: path, data: data}
	record := p.record()
	if record == nil {
		return nil, p.diags
	}
	c := &Contract{Name: record.FullName()}
	fields := make([]arrow.Field, 0, len(record.Fields()))
	for _, f := range record.Fields() {
		t, nullable, err := fieldType(f.Type())
		if err != nil {
			p.add(CodeUnsupported, p.place(f.Name()), fmt.Sprintf("field %s of %s has %v", f.Name(), record.Name(), err), supported)
			continue
		}
		fields = append(fields, arrow.Field{Name: f.Name(), Type: t, Nullable: nullable})
		c.Docs = append(c.Docs, f.Doc())
	}
	if len(p.diags) > 0 {
		return nil, p.diags
	}
	c.Schema = arrow.NewSchema(fields, nil)
	c.Digest = digest(c.Schema)
	return c, nil
}

type parser struct {
	path  string
	data  []byte
	diags diag.List
}

func (p *parser) record() *avro.RecordSchema {
	var raw json.RawMessage
	if err := json.Unmarshal(p.data, &raw); err != nil {
		offset := len(p.data)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = int(syntax.Offset)
		}
		p.add(CodeInvalid, offset, "this is not JSON: "+err.Error(), "a contract is an Avro schema in JSON")
		return nil
	}
	// A cache of its own: contracts do not see each other's names.
	s, err := avro.ParseBytesWithCache(p.data, "", &avro.SchemaCache{})
	if err != nil {
		p.add(CodeInvalid, -1, "this is not an Avro schema: "+strings.TrimPrefix(err.Error(), "avro: "), "")
		return nil
	}
	record, ok := s.(*avro.RecordSchema)
	if !ok {
		p.add(CodeInvalid, -1, fmt.Sprintf("the schema is %s, not a record", describe(s)), "a contract is one Avro record, a field for each column")
		return nil
	}
	if len(record.Fields()) == 0 {
		p.add(CodeInvalid, -1, fmt.Sprintf("record %s has no fields", record.FullName()), "a contract has a field for each column")
		return nil
	}
	return record
}

// place is the offset at which the field is named, or -1.
func (p *parser) place(field string) int {
	fields := max(0, bytes.Index(p.data, []byte(`"fields"`)))
	m := regexp.MustCompile(`"name"\s*:\s*"` + regexp.QuoteMeta(field) + `"`).FindIndex(p.data[fields:])
	if m == nil {
		return -1
	}
	return fields + m[0] + 1
}

// add reports a mistake at the byte before offset; a negative offset means
// the whole file.
func (p *parser) add(code string, offset int, summary, hint string) {
	d := diag.Diagnostic{Code: code, Summary: summary, Hint: hint, Range: diag.Range{File: p.path}}
	if offset >= 0 {
		before := p.data[:min(max(offset-1, 0), len(p.data))]
		start := bytes.LastIndexByte(before, '\n') + 1
		d.Range.Line = bytes.Count(before, []byte("\n")) + 1
		d.Range.Column = len(before) - start + 1
		d.Range.EndLine, d.Range.EndColumn = d.Range.Line, d.Range.Column+1
		line, _, _ := bytes.Cut(p.data[start:], []byte("\n"))
		d.Source = string(line)
	}
	p.diags = append(p.diags, d)
}

// fieldType maps a field's type; the error says what it is instead.
func fieldType(s avro.Schema) (t arrow.DataType, nullable bool, err error) {
	if u, ok := s.(*avro.UnionSchema); ok {
		if !u.Nullable() {
			return nil, false, fmt.Errorf("%s", describe(s))
		}
		_, other := u.Indices()
		t, _, err = fieldType(u.Types()[other])
		return t, true, err
	}
	switch s := s.(type) {
	case *avro.PrimitiveSchema:
		if t := primitives[s.Type()]; t != nil && s.Logical() == nil {
			return t, false, nil
		}
	case *avro.ArraySchema:
		item, itemNullable, err := fieldType(s.Items())
		if err != nil {
			return nil, false, fmt.Errorf("an array of %w", err)
		}
		if itemNullable {
			return arrow.ListOf(item), false, nil
		}
		return arrow.ListOfNonNullable(item), false, nil
	}
	return nil, false, fmt.Errorf("%s", describe(s))
}

var primitives = map[avro.Type]arrow.DataType{
	avro.Long:    arrow.PrimitiveTypes.Int64,
	avro.Int:     arrow.PrimitiveTypes.Int32,
	avro.Double:  arrow.PrimitiveTypes.Float64,
	avro.Float:   arrow.PrimitiveTypes.Float32,
	avro.String:  arrow.BinaryTypes.String,
	avro.Boolean: arrow.FixedWidthTypes.Boolean,
	avro.Bytes:   arrow.BinaryTypes.Binary,
}

func describe(s avro.Schema) string {
	switch s := s.(type) {
	case *avro.PrimitiveSchema:
		if s.Logical() != nil {
			return fmt.Sprintf("the logical type %s", s.Logical().Type())
		}
	case *avro.UnionSchema:
		names := make([]string, len(s.Types()))
		for i, t := range s.Types() {
			names[i] = string(t.Type())
		}
		return "the union of " + strings.Join(names, ", ")
	}
	return "the type " + string(s.Type())
}

func digest(s *arrow.Schema) string {
	h := sha256.New()
	for _, f := range s.Fields() {
		fmt.Fprintf(h, "%q %s %t\n", f.Name, f.Type, f.Nullable)
	}
	return hex.EncodeToString(h.Sum(nil))
}
