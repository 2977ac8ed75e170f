// Package index is the cache of what a lake's folders say: one file a dataset
// or source, so that a listing needs one stat a partition instead of reading its
// manifest. It can be deleted at any time; a file that is damaged, or of
// another version, reads as empty.
//
// The file is little-endian. A header (magic, version, number of series, size of
// the directory) and the directory, a line a series, are followed by their CRC-32C;
// then come the blocks of the series, fixed-size entries and named files, each of
// whose length and CRC-32C stand in the directory. So a plan of a few contracts
// reads the directory and their blocks, however large the lake is.
package index

import (
	"cmp"
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/manifest"
)

// Stamp identifies a version of a folder or file.
type Stamp struct {
	Inode   uint64
	ModTime int64 // ns; 0 matches nothing
}

// Entry is one partition's folder as it was when read.
type Entry struct {
	Stamp
	manifest.Trace
}

// File is one source file as it was when hashed.
type File struct {
	Name   string
	Size   int64
	Digest manifest.Sum
	Stamp
}

// Series is what is known of one series of a dataset or of a source. It is used
// by one goroutine at a time. Of one that was read from a file only Keys, Folder,
// First and Last are there before Load.
type Series struct {
	Keys addr.Keys
	// Folder is that of the folder that holds the folders of the days and nothing
	// else that counts, when its names were those of Traces; zero where that is not
	// known.
	Folder      Stamp
	First, Last calendar.Day // of Traces, where there are any

	Stamps []Stamp          // by position in Traces
	Traces []manifest.Trace // of a dataset, ascending by Day
	Files  []File           // of a source, ascending by Name

	block  *block // where the rest lies; nil once it is loaded
	shared bool   // somebody else reads Traces
}

// Find returns the position of a day's entry, or where it would stand.
func (s *Series) Find(day calendar.Day) (int, bool) {
	return slices.BinarySearchFunc(s.Traces, day, func(t manifest.Trace, d calendar.Day) int { return cmp.Compare(t.Day, d) })
}

// Entry returns the entry at a position.
func (s *Series) Entry(i int) Entry { return Entry{s.Stamps[i], s.Traces[i]} }

// Append adds an entry after all others.
func (s *Series) Append(e Entry) {
	if len(s.Traces) == 0 {
		s.First = e.Day
	}
	s.Stamps, s.Traces, s.Last = append(s.Stamps, e.Stamp), append(s.Traces, e.Trace), e.Day
}

// Share returns Traces for others to read for good: a later Put leaves them as
// they are.
func (s *Series) Share() []manifest.Trace {
	s.shared = true
	return s.Traces
}

// Put adds an entry, or replaces that of its day.
func (s *Series) Put(e Entry) {
	if s.shared {
		s.Traces, s.shared = slices.Clone(s.Traces), false
	}
	i, ok := s.Find(e.Day)
	if !ok {
		s.Stamps, s.Traces = slices.Insert(s.Stamps, i, Stamp{}), slices.Insert(s.Traces, i, manifest.Trace{})
	}
	s.Stamps[i], s.Traces[i] = e.Stamp, e.Trace
	s.First, s.Last = s.Traces[0].Day, s.Traces[len(s.Traces)-1].Day
}

// File finds a file by its name.
func (s *Series) File(name string) (File, bool) {
	i, ok := s.findFile(name)
	if !ok {
		return File{}, false
	}
	return s.Files[i], true
}

// PutFile adds a file, or replaces that of its name.
func (s *Series) PutFile(f File) {
	i, ok := s.findFile(f.Name)
	if !ok {
		s.Files = slices.Insert(s.Files, i, File{})
	}
	s.Files[i] = f
}

func (s *Series) findFile(name string) (int, bool) {
	return slices.BinarySearchFunc(s.Files, name, func(f File, n string) int { return cmp.Compare(f.Name, n) })
}
