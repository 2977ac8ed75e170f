//go:build !linux

package lease

import "os"

// place moves a draft to path; fs.ErrExist if there is something.
func place(draft, path string) error { return link(draft, path) }

func writeDraft(path string, data []byte) error { return os.WriteFile(path, data, 0o666) }

func readFile(path string) ([]byte, error) { return os.ReadFile(path) }
