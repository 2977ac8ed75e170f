package lease

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// bootID is the kernel's boot id and the process-id namespace.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	ns, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "" // the boot alone does not say whose process ids they are
	}
	return strings.TrimSpace(string(b)) + " " + ns
}

// started is the process's start in clock ticks since boot: field 22 of
// /proc/PID/stat, whose second field may hold spaces but ends with ")".
func started(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return ""
	}
	return string(fields[19])
}
