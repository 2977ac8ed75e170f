package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// UnitKeys are the keys whose values make one unit of work of the stage, the
// date key last: the own keys of an output without those that fan out, and its
// derived keys that an input has as its own. An ingest from (root, dt) that
// fans out to (symbol, dt) has the units (root, dt). All outputs agree on them.
func (s *Stage) UnitKeys() []*Key {
	if len(s.Outputs) == 0 {
		return nil
	}
	return s.unitKeys(s.Outputs[0])
}

func (s *Stage) unitKeys(o Output) []*Key {
	var keys []*Key
	for _, k := range o.To.Keys {
		if !slices.Contains(o.FanOut, k.Name) {
			keys = append(keys, k)
		}
	}
	for _, k := range o.To.Derived {
		if slices.ContainsFunc(s.Inputs, func(in Input) bool { return in.From.Key(k.Name) != nil }) {
			keys = append(keys, k)
		}
	}
	slices.SortStableFunc(keys, func(a, b *Key) int {
		switch {
		case a.Date == b.Date:
			return 0
		case a.Date:
			return 1
		}
		return -1
	})
	return keys
}

// checkMapping holds the keys of inputs and outputs to the rules of how a
// partition of an output finds its inputs.
func (b stageBlock) checkMapping() {
	st := b.stage
	for _, out := range st.Outputs {
		b.checkOutputKeys(out)
	}
	if len(st.Outputs) == 0 {
		return
	}
	unit := st.UnitKeys()
	for _, out := range st.Outputs[1:] {
		if names := keyNames(st.unitKeys(out)); !sameNames(names, keyNames(unit)) {
			b.add(newError(codeUnits, out.Range, fmt.Sprintf("the outputs of %s disagree on what one run makes", b.title),
				fmt.Sprintf("by output %s one run has %s, by output %s it has %s", st.Outputs[0].Port, list(keyNames(unit)), out.Port, list(names)), "outputs with other keys belong to another stage"))
		}
	}
	for _, in := range st.Inputs {
		b.checkInputKeys(in, unit)
	}
	b.checkUnstored()
}

// checkUnstored sees that a dataset that is not stored can be made inside each of
// its readers: it is all that a run makes, and is read one partition at a time.
func (b stageBlock) checkUnstored() {
	st := b.stage
	for i, out := range st.Outputs {
		if !out.To.Unstored {
			continue
		}
		port := b.outputSpec(out.Port)
		if why := ""; len(st.Outputs) > 1 || port.FanOut || len(port.Tables)+len(port.Files) > 0 {
			switch {
			case port.FanOut:
				why = "what it fans out to is known only when it has run"
			case len(st.Outputs) > 1:
				why = "it has other outputs too"
			default:
				why = "its partitions hold more than rows"
			}
			b.add(newError(codeUnstored, st.Outputs[i].Range, fmt.Sprintf("%s makes %s, which is not stored", b.title, out.To.Addr), why, "remove stored = false"))
		}
	}
	for _, in := range st.Inputs {
		if in.From.Unstored && (in.Window != nil || len(in.Collect) > 0) {
			b.add(newError(codeUnstored, in.Range, fmt.Sprintf("input %s of %s reads many partitions of %s, which is not stored", in.Port, b.title, in.From.Addr), "each would be made anew for every reader", "remove stored = false, or read one partition"))
		}
	}
}

// checkOutputKeys sees that every key of an output has an origin: an input, or
// the fan-out.
func (b stageBlock) checkOutputKeys(out Output) {
	port := b.outputSpec(out.Port)
	title := fmt.Sprintf("output %s of %s", out.Port, b.title)
	for _, name := range out.FanOut {
		switch by := b.origin(name); {
		case out.To.Key(name) == nil:
			b.add(newError(codeFanOut, out.Range, fmt.Sprintf("%s fans out over %s, which is no key of %s", title, name, out.To.Addr), "its keys are "+list(out.To.KeyNames()), didYouMean(name, out.To.KeyNames())))
		case !port.FanOut:
			b.add(newError(codeFanOut, out.Range, fmt.Sprintf("%s cannot fan out", title), fmt.Sprintf("transform %s writes one partition there", b.stage.Spec.Name), "remove fan_out"))
		case by != "":
			b.add(newError(codeFanOut, out.Range, fmt.Sprintf("%s fans out over %s, which input %s has", title, name, by), "its values are known before the run", "remove it from fan_out"))
		}
	}
	for _, k := range out.To.Keys {
		if slices.Contains(out.FanOut, k.Name) || b.origin(k.Name) != "" || b.collected(k.Name) {
			continue
		}
		if port.FanOut {
			b.add(newError(codeFanOutMissing, out.Range, fmt.Sprintf("%s has key %s, whose values are known only after the run", title, k.Name), "no input has it", fmt.Sprintf("say so: fan_out = [%q]", k.Name)))
			continue
		}
		b.add(newError(codeUnknownValue, out.Range, fmt.Sprintf("%s has key %s, which no input has", title, k.Name), b.inputKeys(), "write to a dataset without that key, or read one that has it"))
	}
}

// origin is the first input that tells the value of a key.
func (b stageBlock) origin(key string) (port string) {
	for _, in := range b.stage.Inputs {
		if in.From.Has(key) && !slices.Contains(in.Collect, key) {
			return in.Port
		}
	}
	return ""
}

// collected tells whether some input collapses a key; where the output needs
// that key, the mistake is the collect.
func (b stageBlock) collected(key string) bool {
	return slices.ContainsFunc(b.stage.Inputs, func(in Input) bool { return slices.Contains(in.Collect, key) })
}

func (b stageBlock) inputKeys() string {
	text := "the inputs have"
	for i, in := range b.stage.Inputs {
		if i > 0 {
			text += ";"
		}
		text += fmt.Sprintf(" %s: %s", in.Port, list(append(in.From.KeyNames(), keyNames(in.From.Derived)...)))
	}
	if len(b.stage.Inputs) == 0 {
		return "there are no inputs"
	}
	return text
}

// checkInputKeys sees that every key of an input is matched, windowed or
// collected, and that nothing else is.
func (b stageBlock) checkInputKeys(in Input, unit []*Key) {
	title := fmt.Sprintf("input %s of %s", in.Port, b.title)
	names := keyNames(unit)
	var lacking []string
	for _, k := range in.From.Keys {
		windowed := in.Window != nil && in.Window.Key == k.Name
		if !windowed && !slices.Contains(names, k.Name) && !slices.Contains(in.Collect, k.Name) && !b.fansOut(k.Name) {
			lacking = append(lacking, k.Name)
		}
	}
	if lacking != nil {
		b.add(newError(codeCollectMissing, in.Range, fmt.Sprintf("%s has %s, which the output lacks", title, list(lacking)),
			runKeys(in, names), fmt.Sprintf(`to read all values, say collect = ["%s"]`, strings.Join(append(lacking, in.Collect...), `", "`))))
	}
	for _, name := range in.Collect {
		switch {
		case in.From.Key(name) == nil:
			b.add(newError(codeCollect, in.Range, fmt.Sprintf("%s collects %s, which is no key of %s", title, name, in.From.Addr), "its keys are "+list(in.From.KeyNames()), didYouMean(name, in.From.KeyNames())))
		case slices.Contains(names, name):
			b.add(newError(codeCollect, in.Range, fmt.Sprintf("%s collects %s, which the output has", title, name), runKeys(in, names), "remove it from collect, or write to a dataset without that key"))
		}
	}
	b.checkWindow(in, title, names)
}

// fansOut tells whether an output makes the values of a key.
func (b stageBlock) fansOut(key string) bool {
	return slices.ContainsFunc(b.stage.Outputs, func(o Output) bool { return slices.Contains(o.FanOut, key) })
}

func (b stageBlock) checkWindow(in Input, title string, unit []string) {
	w := in.Window
	if w == nil {
		return
	}
	if k := in.From.Key(w.Key); k != nil {
		w.Dates = k.Date
	}
	detail := runKeys(in, unit)
	switch {
	case slices.Contains(in.Collect, w.Key):
		b.add(newError(codeWindow, w.Range, fmt.Sprintf("%s has a window over %s and collects it", title, w.Key), "", "a key is either windowed or collected"))
	case in.From.Key(w.Key) == nil:
		b.add(newError(codeWindow, w.Range, fmt.Sprintf("%s has a window over %s, which is no key of it", title, w.Key), detail, didYouMean(w.Key, in.From.KeyNames())))
	case !slices.Contains(unit, w.Key):
		b.add(newError(codeWindow, w.Range, fmt.Sprintf("%s has a window over %s, which the output lacks", title, w.Key), detail, "a window is counted from the output's own value"))
	}
}

// runKeys shows the keys of an input beside those of a unit.
func runKeys(in Input, unit []string) string {
	return fmt.Sprintf("%s has %s; one run has %s", in.From.Addr, list(in.From.KeyNames()), cmp.Or(list(unit), "no keys"))
}

func sameNames(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// checkWriters reports datasets that are read and that no stage writes.
func (l *loader) checkWriters() {
	if l.lostWriters {
		return
	}
	for _, st := range l.config.Stages {
		for _, in := range st.Inputs {
			if _, ok := l.writers[in.From]; ok || in.From.Source {
				continue
			}
			l.add(newError(codeNoWriter, in.Range, fmt.Sprintf("no stage writes %s", in.From.Addr), fmt.Sprintf("input %s of stage %s reads it", in.Port, st.Addr), "write a stage that makes it, or declare it a source"))
		}
	}
}
