package view

// FilesDoc is what became of files, see schemas/fmt.schema.json and
// schemas/docs.schema.json.
type FilesDoc struct {
	Command       string        `json:"command"`
	FormatVersion int           `json:"format_version"`
	Files         []TextFileDoc `json:"files"`
}

// TextFileDoc is one file. Changed tells that its text is, or was, not what it
// should be.
type TextFileDoc struct {
	File    string `json:"file"`
	Changed bool   `json:"changed"`
}

// NewFiles returns a document of a command without files.
func NewFiles(command string) *FilesDoc {
	return &FilesDoc{Command: command, FormatVersion: formatVersion, Files: []TextFileDoc{}}
}

// Add notes a file.
func (d *FilesDoc) Add(file string, changed bool) {
	d.Files = append(d.Files, TextFileDoc{file, changed})
}

// Changed tells whether any file is changed.
func (d *FilesDoc) Changed() bool {
	for _, f := range d.Files {
		if f.Changed {
			return true
		}
	}
	return false
}
