package parquet

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// python runs a script with the Python of $VENDOR_PYTHON, or python3, and skips where
// it does not have the modules.
func python(t *testing.T, modules, script string, args ...string) {
	t.Helper()
	name := os.Getenv("VENDOR_PYTHON")
	if name == "" {
		name = "python3"
	}
	if err := exec.Command(name, "-c", "import "+modules).Run(); err != nil {
		t.Skipf("%s has not all of %s (VENDOR_PYTHON names another Python): %v", name, modules, err)
	}
	if out, err := exec.Command(name, append([]string{"-c", script}, args...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// readByOthers compares a file of ours with one of arrow's writer, and wants the
// damaged one refused.
const readByOthers = `
import sys, duckdb, polars, pyarrow.parquet as pq
own, other, damaged = sys.argv[1:]
read = lambda path: pq.read_table(path, page_checksum_verification=True)
assert read(own).equals(read(other)), "pyarrow"
assert polars.read_parquet(own).equals(polars.read_parquet(other)), "polars"
for a, b in [(own, other), (other, own)]:
    left = duckdb.sql(f"from '{a}' except all from '{b}'").fetchall()
    assert not left, ("duckdb", left)
try:
    read(damaged)
except OSError as e:
    assert "CRC checksum verification failed" in str(e), e
else:
    raise AssertionError("pyarrow reads a damaged page")
`

// TestOthersReadOurs: other readers find the rows, and pyarrow the checksums.
func TestOthersReadOurs(t *testing.T) {
	for name, rec := range map[string]arrow.Record{"wide": wideRows(3000, 1), "mixed": mixedRows()} {
		t.Run(name, func(t *testing.T) {
			data := encode(t, rec.Schema(), 1, rec)
			python(t, "duckdb, polars, pyarrow.parquet", readByOthers, stored(t, data), stored(t, foreign(t, rec)), stored(t, inFirstPage(t, data)))
		})
	}
}

// stored is the path of a file of its own.
func stored(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "part.parquet")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// inFirstPage is the file with a flipped bit in its first page.
func inFirstPage(t *testing.T, data []byte) []byte {
	t.Helper()
	_, body, err := parseHeader(data[len(magic):])
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(data)
	bad[len(bad)-len(body)+5] ^= 1
	return bad
}

// writeByPyarrow writes a file again with checksums, in all codecs and both versions of
// a page.
const writeByPyarrow = `
import sys, pyarrow.parquet as pq
source, folder = sys.argv[1:]
for codec in ["lz4", "zstd", "snappy", "gzip", "brotli", "none"]:
    for version in ["1.0", "2.0"]:
        pq.write_table(pq.read_table(source), f"{folder}/{codec} {version}.parquet", compression=codec, data_page_version=version, write_page_checksum=True)
`

// TestPagesOfPyarrow reads checksums that pyarrow wrote.
func TestPagesOfPyarrow(t *testing.T) {
	rec := wideRows(60, 1)
	want := array.NewTableFromRecords(wideSchema, []arrow.Record{rec})
	folder := t.TempDir()
	python(t, "pyarrow.parquet", writeByPyarrow, stored(t, encode(t, wideSchema, 1, rec)), folder)
	files, err := filepath.Glob(filepath.Join(folder, "*.parquet"))
	if err != nil || len(files) != 12 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(data, fieldsOf(wideSchema), PageRows)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if !array.TableEqual(array.NewTableFromRecords(wideSchema, got), want) {
			t.Errorf("%s: other rows are read", path)
		}
		if _, err := decode(inFirstPage(t, data), fieldsOf(wideSchema), PageRows); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("%s: a damaged page is read: %v", path, err)
		}
	}
}
