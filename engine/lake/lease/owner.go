// Package lease gives one process at a time the right to write a thing. A lease
// is a small JSON file that says who holds it; a dead holder's is taken over.
package lease

import (
	"fmt"
	"os"
	"time"
)

// Owner is the process that holds something in the lake.
type Owner struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Boot tells boots of a host, and process-id namespaces, apart; empty where
	// the system does not say, and there its processes are not asked.
	Boot string `json:"boot_id"`
	// Started tells processes with the same id apart; empty where unknown.
	Started   string    `json:"process_started,omitempty"`
	Run       string    `json:"run_id"`
	Heartbeat time.Time `json:"heartbeat"`
}

// Self is this process.
func Self(run string, now time.Time) Owner {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return Owner{PID: os.Getpid(), Host: host, Boot: bootID(), Started: started(os.Getpid()), Run: run, Heartbeat: now.UTC()}
}

// here tells whether o's process is in the process table of self: that of the same
// boot of a host and of the same PID namespace. A name alone says nothing: machines
// and containers with the same one may share a lake.
func (o Owner) here(self Owner) bool {
	return o.Boot != "" && o.Boot == self.Boot && o.Host == self.Host
}

// ended tells whether the process has ended, if it is in this process table.
func (o Owner) ended() bool {
	if !alive(o.PID) {
		return true
	}
	s := started(o.PID)
	return o.Started != "" && s != "" && s != o.Started // the id was given to another process
}

// is tells whether both are the same process.
func (o Owner) is(p Owner) bool {
	return o.PID == p.PID && o.Host == p.Host && o.Boot == p.Boot && o.Started == p.Started && o.Run == p.Run
}

// same tells whether both are the same process with the same heartbeat.
func (o Owner) same(p Owner) bool { return o.is(p) && o.Heartbeat.Equal(p.Heartbeat) }

// ReadOwner reads a file that names an owner. The error wraps ErrDamaged if it names
// none.
func ReadOwner(path string) (Owner, error) {
	r, err := read(path)
	return r.Owner, err
}

func (o Owner) String() string {
	return fmt.Sprintf("process %d on %s (run %s, last heard of %s)", o.PID, o.Host, o.Run, o.Heartbeat.Format(time.RFC3339))
}
