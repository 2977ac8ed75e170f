package config

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dag/engine/calendar"
)

// The shapes below are the stable JSON of `dag show --resolved`: what every
// expression came out as, in address order.
type (
	resolved struct {
		LakeRoot  string             `json:"lake_root"`
		Variables []resolvedVariable `json:"variables"`
		Calendars []resolvedCalendar `json:"calendars"`
		Keys      []resolvedKey      `json:"keys"`
		Sources   []resolvedDataset  `json:"sources"`
		Datasets  []resolvedDataset  `json:"datasets"`
		Stages    []resolvedStage    `json:"stages"`
	}
	resolvedVariable struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Value       json.RawMessage `json:"value"`
		Origin      string          `json:"origin"`
	}
	resolvedCalendar struct {
		Name     string   `json:"name"`
		Timezone string   `json:"timezone"`
		Weekdays []string `json:"weekdays"`
		Holidays []string `json:"holidays"`
		First    string   `json:"first,omitempty"`
		Last     string   `json:"last,omitempty"`
	}
	resolvedKey struct {
		Name        string `json:"name"`
		Type        string `json:"type"`
		Calendar    string `json:"calendar,omitempty"`
		Pattern     string `json:"pattern,omitempty"`
		DerivesFrom string `json:"derives_from,omitempty"`
	}
	resolvedDataset struct {
		Address     string            `json:"address"`
		Description string            `json:"description,omitempty"`
		Keys        []string          `json:"keys"`
		Derived     []string          `json:"derived_keys,omitempty"`
		Path        string            `json:"path"`
		FilesOn     string            `json:"files_on,omitempty"` // an example, where the date alone decides
		Contract    string            `json:"contract,omitempty"`
		Tables      map[string]string `json:"tables,omitempty"`
		Stored      *bool             `json:"stored,omitempty"` // false where it is not
		Digest      string            `json:"contract_digest,omitempty"`
		Sort        []string          `json:"sort,omitempty"`
		Tags        []string          `json:"tags,omitempty"`
		At          string            `json:"at"`
	}
	resolvedStage struct {
		Address     string           `json:"address"`
		Description string           `json:"description,omitempty"`
		Transform   string           `json:"transform"`
		Version     int              `json:"transform_version"`
		Unit        []string         `json:"unit_keys"`
		Inputs      []resolvedInput  `json:"inputs"`
		Outputs     []resolvedOutput `json:"outputs"`
		Params      json.RawMessage  `json:"params"`
		Timeout     string           `json:"timeout,omitempty"`
		CPU         float64          `json:"cpu"`
		Memory      int64            `json:"memory_bytes"`
		Attempts    int              `json:"attempts"`
		Backoff     string           `json:"backoff,omitempty"`
		Tags        []string         `json:"tags,omitempty"`
		At          string           `json:"at"`
	}
	resolvedInput struct {
		Port    string          `json:"port"`
		From    string          `json:"from"`
		Collect []string        `json:"collect,omitempty"`
		Window  *resolvedWindow `json:"window,omitempty"`
	}
	resolvedWindow struct {
		Key      string `json:"key"`
		Sessions [2]int `json:"sessions"`
		Min      int    `json:"min"`
		OnShort  string `json:"on_short"`
	}
	resolvedOutput struct {
		Port   string   `json:"port"`
		To     string   `json:"to"`
		FanOut []string `json:"fan_out,omitempty"`
	}
)

// Resolved returns c in the shape of `dag show --resolved`, to be written as JSON.
func Resolved(c *Config) any {
	r := resolved{
		LakeRoot: c.LakeRoot, Variables: []resolvedVariable{}, Calendars: []resolvedCalendar{}, Keys: []resolvedKey{},
		Sources: []resolvedDataset{}, Datasets: []resolvedDataset{}, Stages: []resolvedStage{},
	}
	for _, v := range c.Variables {
		r.Variables = append(r.Variables, resolvedVariable{v.Name, v.Description, json.RawMessage(v.Value), v.Origin})
	}
	for _, cal := range c.Calendars {
		r.Calendars = append(r.Calendars, resolveCalendar(cal))
	}
	for _, k := range c.Keys {
		r.Keys = append(r.Keys, resolveKey(k))
	}
	for _, d := range c.Datasets {
		if d.Source {
			r.Sources = append(r.Sources, resolveDataset(d))
		} else {
			r.Datasets = append(r.Datasets, resolveDataset(d))
		}
	}
	for _, s := range c.Stages {
		r.Stages = append(r.Stages, resolveStage(s))
	}
	return r
}

func resolveCalendar(c *calendar.Calendar) resolvedCalendar {
	r := resolvedCalendar{Name: c.Name, Timezone: c.Timezone, Holidays: []string{}}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if c.Weekdays[d] {
			r.Weekdays = append(r.Weekdays, strings.ToLower(d.String()[:3]))
		}
	}
	for d := range c.Holidays {
		r.Holidays = append(r.Holidays, d.String())
	}
	slices.Sort(r.Holidays)
	if c.First != 0 {
		r.First = c.First.String()
	}
	if c.Last != 0 {
		r.Last = c.Last.String()
	}
	return r
}

func resolveKey(k *Key) resolvedKey {
	r := resolvedKey{Name: k.Name, Type: "string", Pattern: k.patternText, DerivesFrom: k.DeriveFrom}
	if k.Date {
		r.Type, r.Calendar = "date", k.Calendar.Name
	}
	return r
}

func resolveDataset(d *Dataset) resolvedDataset {
	r := resolvedDataset{
		Address: d.Addr.String(), Description: d.Description, Keys: d.KeyNames(), Derived: keyNames(d.Derived),
		Path: pathText(d.Path), Contract: d.ContractPath, Sort: d.Sort, Tags: d.Tags, At: d.Range.String(),
	}
	for _, t := range d.Tables {
		if r.Tables == nil {
			r.Tables = map[string]string{}
		}
		r.Tables[t.Name] = t.ContractPath
	}
	if d.Unstored {
		r.Stored = new(bool)
	}
	if d.Contract != nil {
		r.Digest = d.Contract.Digest
	}
	if k := d.DateKey(); d.Files != nil && k != nil {
		if glob, err := d.Files.Glob(map[string]string{k.Name: sampleDay}); err == nil {
			r.FilesOn = sampleDay + ": " + glob
		}
	}
	return r
}

func resolveStage(s *Stage) resolvedStage {
	r := resolvedStage{
		Address: s.Addr.String(), Description: s.Description, Transform: s.Spec.Name, Version: s.Spec.Version,
		Unit: keyNames(s.UnitKeys()), Params: json.RawMessage(s.ParamsText()),
		Inputs: []resolvedInput{}, Outputs: []resolvedOutput{},
		CPU: s.CPU, Memory: s.Memory, Attempts: s.Attempts, Tags: s.Tags, At: s.Range.String(),
	}
	if s.Memory == 0 {
		r.Memory = s.Spec.Memory
	}
	if s.Timeout > 0 {
		r.Timeout = s.Timeout.String()
	}
	if s.Backoff > 0 {
		r.Backoff = s.Backoff.String()
	}
	for _, in := range s.Inputs {
		i := resolvedInput{Port: in.Port, From: in.From.Addr.String(), Collect: in.Collect}
		if w := in.Window; w != nil {
			i.Window = &resolvedWindow{w.Key, [2]int{w.Lo, w.Hi}, w.Min, w.OnShort}
		}
		r.Inputs = append(r.Inputs, i)
	}
	for _, out := range s.Outputs {
		r.Outputs = append(r.Outputs, resolvedOutput{out.Port, out.To.Addr.String(), out.FanOut})
	}
	return r
}
