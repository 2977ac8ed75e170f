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
	// the system does not say.
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

// Silence is how old the heartbeat of an owner on another host may be before
// the owner counts as dead. Beat is how often a heartbeat is written.
const (
	Silence = 2 * time.Minute
	Beat    = 15 * time.Second
)

// Dead tells whether o's process has surely ended, seen from self. On the same
// boot of the same host the process table decides; an earlier boot of the host
// is over; of other hosts only the heartbeat is known.
func (o Owner) Dead(self Owner, now time.Time) bool {
	switch {
	case o.Host != self.Host:
		return now.Sub(o.Heartbeat) > Silence
	case o.Boot != self.Boot:
		return true
	case !alive(o.PID):
		return true
	}
	s := started(o.PID)
	return o.Started != "" && s != "" && s != o.Started // the id was given to another process
}

func (o Owner) String() string {
	return fmt.Sprintf("process %d on %s (run %s, last heard of %s)", o.PID, o.Host, o.Run, o.Heartbeat.Format(time.RFC3339))
}
