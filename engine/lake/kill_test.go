package lake

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"dag/engine/addr"
)

// victimRoot tells the re-executed test binary to be the process that is
// killed.
const victimRoot = "DAG_TEST_VICTIM_ROOT"

func TestMain(m *testing.M) {
	if root := os.Getenv(victimRoot); root != "" {
		victim(root)
	}
	os.Exit(m.Run())
}

// killed are the partitions that victims write.
var killed = []addr.Partition{part("ESU5", "2025-06-05"), part("ESU5", "2025-06-06")}

// victim commits without end: rows and first price both tell the version. It
// prints a line before each commit.
func victim(root string) {
	l, err := Open(root, layouts(), Options{})
	for v := 1; err == nil; v++ {
		fmt.Println("commit", v)
		n := 1 + v%50
		_, err = put(l, fmt.Sprint(v), n, int64(n), killed...)
	}
	fmt.Println("failed:", err)
	os.Exit(1)
}

// TestKilled kills processes that commit, at moments that differ: every
// partition is whole, none vanishes, and the next run takes over.
func TestKilled(t *testing.T) {
	root := t.TempDir()
	mustPut(t, open(t, root, Options{}), "first", 1, 1, killed...)
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), victimRoot+"="+root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i := 0; i <= round && lines.Scan(); i++ {
		}
		time.Sleep(time.Duration(round*round) * 700 * time.Microsecond) // some way into a commit
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			if s := lines.Text(); s[:6] != "commit" {
				t.Error(s)
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the victim was not killed")
		}
		l := open(t, root, Options{LockTimeout: -1})
		if err := l.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, p := range killed {
			if n, price, err := firstPrice(l, p); err != nil || n != price {
				t.Fatalf("round %d: %s has %d rows from %d on: %v", round, p, n, price, err)
			}
		}
		if left := deadRuns(t, l); len(left) > 0 {
			t.Errorf("round %d: sweep left %v", round, left)
		}
		mustPut(t, l, fmt.Sprint("after", round), 60+round, int64(60+round), killed...)
	}
}
