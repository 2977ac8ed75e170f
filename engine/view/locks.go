package view

import (
	"io"
	"strconv"
	"time"
)

// LocksDoc lists leases, see schemas/lock_ls.schema.json.
type LocksDoc struct {
	Command       string     `json:"command"`
	FormatVersion int        `json:"format_version"`
	Leases        []LeaseDoc `json:"leases"`

	now time.Time
}

// LeaseDoc is one lease: the right of one process to write one thing.
type LeaseDoc struct {
	Name      string `json:"name"` // the partition, or the unit by one of its outputs' dataset; empty if the file cannot be read
	File      string `json:"file"` // in .dag/leases
	PID       int    `json:"pid"`
	Host      string `json:"host"`
	Run       string `json:"run"`
	Taken     string `json:"taken"`     // RFC 3339, UTC
	Heartbeat string `json:"heartbeat"` // the same
	Alive     bool   `json:"alive"`     // false: the next that needs it takes it over
	Silent    bool   `json:"silent"`    // alive as far as is known, with heartbeats missing
}

// NewLocks returns an empty list; now is what ages are counted from.
func NewLocks(now time.Time) *LocksDoc {
	return &LocksDoc{Command: "lock ls", FormatVersion: formatVersion, Leases: []LeaseDoc{}, now: now}
}

// Text writes a line a lease.
func (d *LocksDoc) Text(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	if len(d.Leases) == 0 {
		p.printf("Nobody is writing this lake.\n")
		return p.err
	}
	t := &table{}
	t.text("owner", "process", "taken", "last heard of", "run", "what")
	dead := 0
	for _, x := range d.Leases {
		mark := cell{text: "alive", color: green}
		switch {
		case !x.Alive:
			mark = cell{text: "gone", color: yellow}
			dead++
		case x.Silent:
			mark = cell{text: "silent", color: yellow}
		}
		name := x.Name
		if name == "" {
			name = x.File + " (cannot be read)"
		}
		t.add(mark, cell{text: strconv.Itoa(x.PID) + " on " + x.Host}, cell{text: d.ago(x.Taken)}, cell{text: d.ago(x.Heartbeat)}, cell{text: x.Run}, cell{text: name})
	}
	t.print(p, "")
	if dead > 0 {
		p.printf("What a process left that is gone is taken over by whoever needs it; %s removes it now.\n", c.with("gc", "--yes"))
	}
	return p.err
}

// ago says how long a time is past.
func (d *LocksDoc) ago(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339Nano, rfc3339)
	if err != nil || t.IsZero() {
		return "unknown"
	}
	return Duration(max(0, d.now.Sub(t))) + " ago"
}

// BrokenLockDoc is what lock break did, see schemas/lock_break.schema.json.
type BrokenLockDoc struct {
	Command       string   `json:"command"`
	FormatVersion int      `json:"format_version"`
	Broken        []string `json:"broken"`
}

// NewBrokenLock returns a document of the leases that were taken away.
func NewBrokenLock(names []string) *BrokenLockDoc {
	return &BrokenLockDoc{Command: "lock break", FormatVersion: formatVersion, Broken: append([]string{}, names...)}
}

// Text writes a line a lease.
func (d *BrokenLockDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	for _, name := range d.Broken {
		p.printf("broken: %s\n", name)
	}
	return p.err
}
