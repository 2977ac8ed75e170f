package lake

import (
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// found is a series while it is listed.
type found struct {
	keys        addr.Keys
	wanted      func(calendar.Day) bool // the days asked for; nil: none
	known       *index.Series           // of the index, loaded if any day is wanted; nil without one
	folder      index.Stamp             // of the folder that holds the days; zero if it is not known, or too young
	first, last calendar.Day            // of the folders there are
	seen        bool                    // there is one
	at          int                     // where in known the next day is likely to stand
	kept        []bool                  // by position in known: the folder is as it was, or was not asked for
	same        int                     // how many are kept
	unknown     bool                    // a folder was not asked for that is not in known
	changed     []index.Entry           // of folders that are not as the index has them, in no order
}

// see notes that there is a folder of a day.
func (f *found) see(day calendar.Day) {
	if !f.seen {
		f.first, f.last, f.seen = day, day, true
	}
	f.first, f.last = min(f.first, day), max(f.last, day)
}

// find returns the position of a day in known.
func (f *found) find(day calendar.Day) (int, bool) {
	switch {
	case f.known == nil:
		return 0, false
	case f.at < len(f.known.Traces) && f.known.Traces[f.at].Day == day:
		return f.at, true
	}
	return f.known.Find(day)
}

func (f *found) keep(i int) {
	f.kept[i] = true
	f.same++
}

// pass notes a folder that is not asked for.
func (f *found) pass(day calendar.Day) {
	f.see(day)
	if f.wanted == nil {
		return // known is left as it is
	}
	if i, ok := f.find(day); ok {
		f.keep(i)
	} else {
		f.unknown = true
	}
}

// now returns what the index is to have of the series, nil for nothing, and
// whether it has that already.
func (f *found) now() (*index.Series, bool) {
	if f.wanted == nil {
		return f.known, true
	}
	if f.unknown {
		f.folder = index.Stamp{}
	}
	if f.known != nil && f.same == len(f.known.Traces) && len(f.changed) == 0 {
		same := f.folder.ModTime == 0 || f.known.Folder == f.folder
		f.known.Folder = f.folder
		return f.known, same
	}
	entries := f.changed
	for i, kept := range f.kept {
		if kept {
			entries = append(entries, f.known.Entry(i))
		}
	}
	slices.SortFunc(entries, func(a, b index.Entry) int { return int(a.Day) - int(b.Day) })
	out := &index.Series{Keys: f.keys, Folder: f.folder}
	for _, e := range entries {
		out.Append(e)
	}
	return out, false
}

// parts are the traces that were asked for.
func (f *found) parts(now *index.Series) []manifest.Trace {
	if f.wanted == nil || now == nil {
		return nil
	}
	out := func(t *manifest.Trace) bool { // or gone between listing and reading
		return !f.wanted(t.Day) || t.State == manifest.Missing
	}
	for i := range now.Traces {
		if out(&now.Traces[i]) {
			return slices.DeleteFunc(slices.Clone(now.Traces), func(t manifest.Trace) bool { return out(&t) })
		}
	}
	return now.Share()
}
