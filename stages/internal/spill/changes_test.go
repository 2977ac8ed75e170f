package spill

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestChanges reads records back from what they change of one another, and no
// record from less.
func TestChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SampledFrom([]int{1, 5, 46, 63, 64, 65, 128, 130}).Draw(rt, "words")
		value := rapid.SampledFrom([]byte{0, 0, 0, 1, 0xFF}) // few, so that words are often the same
		record := rapid.SliceOfN(value, words*wordBytes, words*wordBytes)
		list := rapid.SliceOfN(record, 1, 8).Draw(rt, "records")

		before := make([]byte, words*wordBytes)
		var all []byte
		for _, rec := range list {
			n := len(all)
			if all = appendChanges(all, before, rec); len(all)-n > mostChanges(len(rec)) {
				rt.Fatalf("%d bytes of changes, mostChanges says %d", len(all)-n, mostChanges(len(rec)))
			}
			before = rec
		}
		got, src := make([]byte, words*wordBytes), all
		for i, rec := range list {
			var ok bool
			if src, ok = applyChanges(got, src); !ok || !bytes.Equal(got, rec) {
				rt.Fatalf("record %d of %d is another one (%v)", i, len(list), ok)
			}
		}
		if len(src) > 0 {
			rt.Fatalf("%d bytes are left", len(src))
		}
	})
}

// TestChangesCutOff: no part of a record's changes is taken for all of them.
func TestChangesCutOff(t *testing.T) {
	rec := bytes.Repeat([]byte{1}, 70*wordBytes)
	all := appendChanges(nil, make([]byte, len(rec)), rec)
	for n := range all {
		if _, ok := applyChanges(make([]byte, len(rec)), all[:n]); ok {
			t.Fatalf("%d of %d bytes are enough", n, len(all))
		}
	}
	wrong := bytes.Clone(all)
	wrong[len(all)-6*wordBytes-1] = 0x80 // the second mask: a word after the last
	if _, ok := applyChanges(make([]byte, len(rec)), wrong); ok {
		t.Error("a word after the last is taken")
	}
}
