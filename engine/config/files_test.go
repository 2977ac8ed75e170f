package config

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dag/engine/calendar"
)

// pattern loads a source with this files expression.
func pattern(t testing.TB, files string) (*FilePattern, *calendar.Calendar) {
	t.Helper()
	c := readBase(t).with(map[string]string{"pipelines/files.hcl": `
source "raw" "future" "more" {
  keys  = ["root", "dt"]
  path  = "more/${key.root}"
  files = ` + files + `
}
`}).load(t)
	return c.dataset(t, "raw.future.more").Files, c.Calendars[0]
}

// assignText is the result of Assign as lines "day names".
func assignText(t testing.TB, files string, root string, names ...string) string {
	t.Helper()
	p, cal := pattern(t, files)
	as, err := p.Assign(names, map[string]string{"root": root}, "dt", cal)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range as {
		line := a.Day.String()
		for _, i := range a.Files {
			line += " " + names[i]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestAssign(t *testing.T) {
	const vendor = `"*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"`
	for name, c := range map[string]struct {
		files string
		names []string
		want  string
	}{
		"one file a day": {vendor, []string{"glbx-mdp3-20250805.mbp-10.dbn.zst", "glbx-mdp3-20250804.mbp-10.dbn"},
			"2025-08-04 glbx-mdp3-20250804.mbp-10.dbn\n2025-08-05 glbx-mdp3-20250805.mbp-10.dbn.zst"},
		"several files a day": {vendor, []string{"a-20250804.dbn", "b-20250804.dbn"}, "2025-08-04 a-20250804.dbn b-20250804.dbn"},
		"a file of several days": {vendor, []string{"20250804-20250806.dbn"},
			"2025-08-04 20250804-20250806.dbn\n2025-08-06 20250804-20250806.dbn"},
		"a holiday, a Sunday and other names": {vendor, []string{"20250704.dbn", "20250803.dbn", "20250804.csv", "readme"}, ""},
		"no names":                            {vendor, nil, ""},
		"another root's files":                {`"${key.root}-${key.dt}.*"`, []string{"ES-2025-08-04.dbn", "NQ-2025-08-04.dbn"}, "2025-08-04 ES-2025-08-04.dbn"},
		"years of two digits":                 {`"${substr(replace(key.dt, "-", ""), 2, 6)}.dbn"`, []string{"250804.dbn", "201123.dbn"}, "2020-11-23 201123.dbn\n2025-08-04 250804.dbn"},
		"a file a month":                      {`"${substr(key.dt, 0, 7)}.dbn"`, []string{"2025-02.dbn"}, strings.TrimSpace(strings.Join(februarySessions(), " 2025-02.dbn\n") + " 2025-02.dbn")},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, assignText(t, c.files, "ES", c.names...)); d != "" {
				t.Error(d)
			}
		})
	}
}

func februarySessions() []string {
	var days []string
	for d := 3; d <= 28; d++ {
		if (d-3)%7 < 5 {
			days = append(days, fmt.Sprintf("2025-02-%02d", d))
		}
	}
	return days
}

func TestAssignWithinCalendar(t *testing.T) {
	p, cal := pattern(t, `"${key.dt}.dbn"`)
	bounded := *cal
	bounded.First, bounded.Last = day(t, "2025-08-05"), day(t, "2025-08-06")
	names := []string{"2025-08-04.dbn", "2025-08-05.dbn", "2025-08-06.dbn", "2025-08-07.dbn"}
	as, err := p.Assign(names, nil, "dt", &bounded)
	if err != nil {
		t.Fatal(err)
	}
	want := []Assignment{{day(t, "2025-08-05"), []int{1}}, {day(t, "2025-08-06"), []int{2}}}
	if d := cmp.Diff(want, as); d != "" {
		t.Error(d)
	}
	strays, err := p.Strays(names, as, nil, "dt")
	if err != nil || !slices.Equal(strays, []int{0, 3}) {
		t.Errorf("strays are %v, %v", strays, err)
	}
	why, err := p.WhyStray(names[0], nil, "dt", &bounded)
	if want := `2025-08-04 lies before the first or after the last day of calendar "cme"`; why != want || err != nil {
		t.Errorf("%s, %v; want %s", why, err, want)
	}
}

// TestStrays tells what should have belonged to a session from what lies beside.
func TestStrays(t *testing.T) {
	p, cal := pattern(t, `"*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"`)
	wide := &FilePattern{Glob: func(map[string]string) (string, error) { return "*", nil }}
	names := []string{
		"20250804.dbn", "es-2025-08-04.dbn.zst", "20250704.dbn", "20250803-20250810.dbn.zst", "20250804.csv", "metadata.json", "es.dbn", "below/0804.dbn",
	}
	as, err := p.Assign(names, nil, "dt", cal)
	if err != nil {
		t.Fatal(err)
	}
	strays, err := p.Strays(names, as, nil, "dt")
	if err != nil || !slices.Equal(strays, []int{1, 2, 3, 6, 7}) {
		t.Errorf("strays are %v, %v", strays, err)
	}
	const noDate = "its name holds no date as files has it, which on 2025-01-02 is *20250102*.{dbn,dbn.zst}"
	for name, want := range map[string]string{
		names[1]: noDate, names[6]: noDate,
		names[2]: `calendar "cme" has no session on 2025-07-04`,
		names[3]: `calendar "cme" has no session on 2025-08-03, 2025-08-10`,
	} {
		if why, err := p.WhyStray(name, nil, "dt", cal); why != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", name, why, err, want)
		}
	}
	if strays, err := wide.Strays(names, nil, nil, ""); err != nil || len(strays) != len(names) {
		t.Errorf("strays of * are %v, %v", strays, err)
	}
}

// TestSkips: a file feeds the days in its name, which may not be all it holds.
func TestSkips(t *testing.T) {
	p, cal := pattern(t, `"*${replace(key.dt, "-", "")}*.dbn"`)
	for text, want := range map[string]string{
		"20250825-20250827.dbn":                           "0 2025-08-26",
		"20250825-20250827.dbn 20250826.dbn":              "",
		"20250822-20250825.dbn":                           "",
		"20250825-20250829.dbn 20250827.dbn":              "0 2025-08-26",
		"20250825.dbn 20250827.dbn":                       "",
		"20250825-20250826.dbn 20250828-20250829.dbn":     "",
		"20250825-20250826-20250829.dbn 20250827.dbn":     "0 2025-08-28",
		"a-20250825-20250827.dbn b-20250825-20250827.dbn": "0 2025-08-26, 1 2025-08-26",
	} {
		as, err := p.Assign(strings.Fields(text), nil, "dt", cal)
		if err != nil {
			t.Fatal(err)
		}
		skips := p.Skips(as, cal)
		var got []string
		for _, i := range slices.Sorted(maps.Keys(skips)) {
			got = append(got, fmt.Sprint(i, " ", skips[i]))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}

// TestAssignWithoutDate has the date in the path, so that a folder is a day.
func TestAssignWithoutDate(t *testing.T) {
	c := readBase(t).with(map[string]string{"pipelines/files.hcl": `
source "raw" "future" "more" {
  keys  = ["root", "dt"]
  path  = "more/${key.root}/${key.dt}"
  files = "${lower(key.root)}*.dbn"
}
`}).load(t)
	d := c.dataset(t, "raw.future.more")
	as, err := d.Files.Assign([]string{"nq.dbn", "es1.dbn", "es2.dbn"}, map[string]string{"root": "ES", "dt": "2025-08-04"}, "dt", d.DateKey().Calendar)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Assignment{{day(t, "2025-08-04"), []int{1, 2}}}, as); diff != "" {
		t.Error(diff)
	}
	if _, err := d.Files.Assign(nil, map[string]string{"dt": "2025-08-04"}, "dt", d.DateKey().Calendar); err == nil || err.Error() != "files needs a value of key root" {
		t.Errorf("got %v", err)
	}
}

func TestGlobErrors(t *testing.T) {
	p, _ := pattern(t, `"${key.dt}${regex("^[A-Z]$", key.root)}.dbn"`)
	if _, err := p.Glob(map[string]string{"dt": "2025-08-04", "root": "ES"}); err == nil || !strings.Contains(err.Error(), "pattern did not match") {
		t.Errorf("got %v", err)
	}
	p, _ = pattern(t, `"${key.dt}${key.root}.dbn"`)
	if _, err := p.Glob(map[string]string{"dt": "2025-08-04", "root": "["}); err == nil || !strings.Contains(err.Error(), "no glob pattern") {
		t.Errorf("got %v", err)
	}
}

// TestAssignIsTheCrossProduct compares Assign with matching every name against
// every session's pattern.
func TestAssignIsTheCrossProduct(t *testing.T) {
	patterns := []string{`"*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"`, `"[a-c]*${substr(key.dt, 0, 4)}?${substr(key.dt, 5, 2)}*"`, `"{a,b}${substr(key.dt, 2, 8)}"`}
	for _, files := range patterns {
		p, cal := pattern(t, files)
		bounded := *cal
		bounded.First, bounded.Last = day(t, "2024-12-02"), day(t, "2025-02-28")
		rapid.Check(t, func(t *rapid.T) {
			names := rapid.SliceOfN(rapid.StringMatching(`[a-d]?(2024|2025|24|25)-?(01|12)-?(0[1-9]|2[0-9])(-(2025)01[01][0-9])?(\.dbn(\.zst)?)?`), 0, 12).Draw(t, "names")
			got, err := p.Assign(names, nil, "dt", &bounded)
			if err != nil {
				t.Fatal(err)
			}
			var want []Assignment
			for d := bounded.First; d <= bounded.Last; d++ {
				glob, err := p.Glob(map[string]string{"dt": d.String()})
				if err != nil {
					t.Fatal(err)
				}
				a := Assignment{Day: d}
				for i, n := range names {
					if ok, _ := doublestar.Match(glob, n); ok && bounded.IsSession(d) {
						a.Files = append(a.Files, i)
					}
				}
				if a.Files != nil {
					want = append(want, a)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatal(d)
			}
		})
	}
}

// TestLongestLiteral: whatever matches a glob holds its literal.
func TestLongestLiteral(t *testing.T) {
	for glob, want := range map[string]string{
		"*20250804*.{dbn,dbn.zst}": "20250804", "a[bc]def": "def", `a\*bcd?e`: "a*bcd", "*": "", "{abc,d}x": "x", `a[\]x]bc`: "bc", "[^a]b": "b",
	} {
		if got := longestLiteral(glob); got != want {
			t.Errorf("of %s it is %q, want %q", glob, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		glob := rapid.StringMatching(`([ab]|\*|\?|\[[ab]\]|\[\^a\]|\[\\\]b\]|\{a,bb\}|\{a,\{b,a\}\}|\\a|\\\*){0,8}`).Draw(t, "glob")
		name := rapid.StringMatching(`[ab\]*]{0,10}`).Draw(t, "name")
		if ok, err := doublestar.Match(glob, name); ok && err == nil && !strings.Contains(name, longestLiteral(glob)) {
			t.Fatalf("%q matches %q and does not hold %q", name, glob, longestLiteral(glob))
		}
	})
}

func BenchmarkAssign(b *testing.B) {
	p, cal := pattern(b, `"*${replace(key.dt, "-", "")}*.{dbn,dbn.zst}"`)
	var names []string
	for d := day(b, "2016-01-01"); len(names) < 2500; d++ {
		if cal.IsSession(d) {
			names = append(names, "glbx-mdp3-"+strings.ReplaceAll(d.String(), "-", "")+".mbp-10.dbn.zst")
		}
	}
	rand.New(rand.NewSource(1)).Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for b.Loop() {
		if as, err := p.Assign(names, nil, "dt", cal); err != nil || len(as) != len(names) {
			b.Fatal(len(as), err)
		}
	}
}
