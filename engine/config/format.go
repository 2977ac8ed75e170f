package config

import (
	"github.com/hashicorp/hcl/v2/hclwrite"

	"dag/engine/diag"
)

// Format returns src in canonical format: what `dag fmt` writes. Text that is
// not HCL is left alone and reported; name stands in the diagnostics.
func Format(src []byte, name string) ([]byte, diag.List) {
	_, ds := parseHCL(src, name)
	if ds.HasErrors() {
		l := newLoader(Options{})
		l.sources[name] = src
		l.addHCL(codeSyntax, ds)
		return nil, l.finish()
	}
	return hclwrite.Format(src), nil
}
