package main

// verbFacts is what the reference says of a verb that its command does not.
type verbFacts struct {
	documents []string // that it writes to stdout with --json, by the names of their schemas
	exits     []int    // besides those of every verb
}

// facts of every verb, by its words.
var facts = map[string]verbFacts{
	"demo":             {[]string{"events"}, []int{exitFailed, exitLease}},
	"plan":             {[]string{"plan"}, []int{exitChanges, exitDrift}},
	"apply":            {[]string{"events"}, []int{exitFailed, exitDrift, exitLease}},
	"status":           {[]string{"status"}, []int{exitChanges}},
	"graph":            {[]string{"graph"}, nil},
	"ls":               {[]string{"ls"}, nil},
	"show":             {[]string{"show", "resolved"}, nil},
	"why":              {[]string{"why"}, nil},
	"similar":          {[]string{"similar"}, nil},
	"similar evaluate": {[]string{"similar_evaluate"}, nil},
	"runs":             {[]string{"runs", "run"}, nil},
	"logs":             {[]string{"logs"}, nil},
	"retry":            {[]string{"events"}, []int{exitFailed, exitLease}},
	"diff":             {[]string{"run_diff"}, nil},
	"lineage":          {[]string{"lineage"}, nil},
	"map":              {[]string{"map"}, nil},
	"verify":           {[]string{"verify"}, []int{exitProblems}},
	"invalidate":       {[]string{"invalidate"}, []int{exitLease, exitProblems}},
	"adopt":            {[]string{"adopt"}, []int{exitLease, exitProblems}},
	"touch":            {[]string{"touch"}, []int{exitLease, exitProblems}},
	"gc":               {[]string{"gc"}, nil},
	"lock ls":          {[]string{"lock_ls"}, nil},
	"lock break":       {[]string{"lock_break"}, []int{exitLease}},
	"index rebuild":    {[]string{"index_rebuild"}, nil},
	"doctor":           {[]string{"doctor"}, []int{exitProblems}},
	"validate":         {[]string{"diagnostics"}, nil},
	"fmt":              {[]string{"fmt"}, []int{exitProblems}},
	"schema":           {[]string{"schema"}, nil},
	"explain":          {[]string{"explain"}, nil},
	"completion":       {nil, nil},
	"version":          {[]string{"version"}, nil},
}

// elsewhere says where the documents are that no verb's --json writes.
var elsewhere = map[string]string{
	"docs":        "`dag docs --json`", // a hidden verb
	"manifest":    "`_MANIFEST.json` in each partition's folder",
	"report":      "`dag apply --report FILE.json`",
	"resolved":    "`dag show --resolved`",
	"run_results": "`results.json` in the record of each run",
	"saved_plan":  "`dag plan --out FILE`",
}

// exits says what each exit code means.
var exits = []struct {
	Code    int
	Meaning string
	Always  bool // any verb may end so
}{
	{0, "done; for `plan` also: there are changes, unless `--detailed-exitcode` is given", true},
	{exitInternal, "internal or I/O error: a full disk, a read-only lake", true},
	{exitChanges, "with `--detailed-exitcode`: fine, and there is work to do", false},
	{exitUsage, "the user's error: flags, an unknown address, an invalid configuration", true},
	{exitFailed, "some partitions failed; the rest are committed", false},
	{exitDrift, "a saved plan no longer applies (`--strict`), or a guard rail stopped it", false},
	{exitLease, "a lease could not be had in time: another process writes the same partition", false},
	{exitProblems, "checks found problems", false},
	{exitHangup, "the terminal was closed: as interrupted", true},
	{exitInterrupt, "interrupted: running tasks were stopped, committed partitions are whole", true},
	{exitTerminate, "terminated: the same", true},
}

// environment are the variables that dag reads beside those of its flags.
var environment = []struct{ Name, Meaning string }{
	{"DAG_VAR_name", "the value of the variable `name` of the pipelines"},
	{"NO_COLOR", "if it is not empty: no colours, unless `--color always`"},
	{"TERM", "`dumb`: no colours, unless `--color always`"},
	{"GOMEMLIMIT, GOGC", "as for any Go program; without them dag sets its own"},
}
