package manifest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"dag/engine/addr"
)

// MaxBytes is the size of the largest manifest that is read: room for some
// hundred thousand inputs.
const MaxBytes = 64 << 20

// ErrForeign is what Decode's error wraps for JSON that is not a manifest of
// ours: that of another tool beside its data.
var ErrForeign = errors.New("not a manifest of dag")

//go:embed manifest.schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of the file. The caller must not
// change it.
func Schema() []byte { return schema }

// Encode writes the file: JSON, two spaces of indentation, fields in the order
// of Manifest, object keys within Params and Metrics sorted, one line feed at
// the end. The same Manifest gives the same bytes. Format and FormatVersion
// are those of this package, whatever m says.
func Encode(m *Manifest) ([]byte, error) {
	c := *m
	c.Format, c.FormatVersion = Format, FormatVersion
	if c.Inputs == nil {
		c.Inputs = []Input{}
	}
	if c.Files == nil {
		c.Files = []File{}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	e.text.Reset()
	if err := e.json.Encode(&c); err != nil {
		return nil, fmt.Errorf("manifest of %s[%s]: %w", c.Dataset, c.Keys, err)
	}
	if n := e.text.Len(); n > MaxBytes {
		return nil, fmt.Errorf("manifest of %s[%s]: it would have %d bytes for %d inputs, and at most %d are read: let the stage read fewer partitions",
			c.Dataset, c.Keys, n, len(c.Inputs), MaxBytes)
	}
	return bytes.Clone(e.text.Bytes()), nil
}

// encoder keeps the buffers that writing a manifest takes.
type encoder struct {
	text bytes.Buffer
	json *json.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := &encoder{}
	e.json = json.NewEncoder(&e.text)
	e.json.SetEscapeHTML(false)
	e.json.SetIndent("", "  ")
	return e
}}

// Decode reads a manifest and checks what readers rely on. Unknown fields are
// left out. The error wraps ErrForeign if the JSON is not ours.
func Decode(b []byte) (*Manifest, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("a manifest of %d bytes; at most %d are read", len(b), MaxBytes)
	}
	var head struct {
		Format  any `json:"format"`
		Version any `json:"format_version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if head.Format != Format {
		return nil, fmt.Errorf("%w: its format is %v, ours %q", ErrForeign, head.Format, Format)
	}
	if head.Version != float64(FormatVersion) {
		return nil, fmt.Errorf("manifest format version %v; this program reads version %d", head.Version, FormatVersion)
	}
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// Partition is the partition that m belongs to; m has come from Decode or
// passed Encode.
func (m *Manifest) Partition() addr.Partition {
	d, _ := addr.ParseDataset(m.Dataset)
	return addr.Partition{Dataset: d, Keys: m.Keys}
}

// check finds what would mislead a reader.
func (m *Manifest) check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("manifest of %.200s[%.200s]: %s", m.Dataset, m.Keys, fmt.Sprintf(format, args...))
	}
	if _, err := addr.ParseDataset(m.Dataset); err != nil {
		return fail("%v", err)
	}
	if m.Keys != "" {
		if k, err := addr.ParseKeys(string(m.Keys)); err != nil || k != m.Keys {
			return fail("keys are not key=value,… in canonical form")
		}
	}
	if m.RowCount < 0 {
		return fail("row_count is %d", m.RowCount)
	}
	for _, f := range m.Files {
		if f.Name == "" || f.Name[0] == '.' || f.Name[0] == '_' || strings.ContainsAny(f.Name, "/\\\x00") || f.Bytes < 0 || len(f.SHA256) != 64 {
			return fail("files has %q of %d bytes with SHA-256 %q", f.Name, f.Bytes, f.SHA256)
		}
	}
	digest, err := ParseSum(m.Digest)
	if err != nil {
		return fail("digest: %v", err)
	}
	if digest != ContentDigest(m.Files) {
		return fail("digest %s is not that of files, %s", digest, ContentDigest(m.Files))
	}
	if _, err := ParseSum(m.Fingerprint.Sum); err != nil {
		return fail("fingerprint: %v", err)
	}
	return nil
}
