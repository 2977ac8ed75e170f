package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/contract"
	"dag/engine/stage"
)

// checkPorts holds the connections to the ports of the transform, and puts
// them into the order of its spec.
func (b stageBlock) checkPorts() {
	st := b.stage
	var inputs, outputs []string
	for _, p := range st.Spec.Inputs {
		inputs = append(inputs, p.Name)
	}
	for _, p := range st.Spec.Outputs {
		outputs = append(outputs, p.Name)
	}
	for _, in := range st.Inputs {
		if i := slices.Index(inputs, in.Port); i < 0 {
			b.add(newError(codeUnknownPort, in.Range, fmt.Sprintf("transform %s has no input %s", st.Spec.Name, in.Port), "", didYouMean(in.Port, slices.Clone(inputs))))
		} else {
			b.checkKind(in, st.Spec.Inputs[i])
		}
	}
	for _, out := range st.Outputs {
		if !slices.Contains(outputs, out.Port) {
			b.add(newError(codeUnknownPort, out.Range, fmt.Sprintf("transform %s has no output %s", st.Spec.Name, out.Port), "", didYouMean(out.Port, slices.Clone(outputs))))
		}
	}
	for _, name := range inputs {
		if !slices.ContainsFunc(st.Inputs, func(in Input) bool { return in.Port == name }) {
			b.add(newError(codeMissingPort, st.Range, fmt.Sprintf("%s does not connect input %s of transform %s", b.title, name, st.Spec.Name), "", fmt.Sprintf("add input %q { from = … }", name)))
		}
	}
	for _, name := range outputs {
		if !slices.ContainsFunc(st.Outputs, func(out Output) bool { return out.Port == name }) {
			b.add(newError(codeMissingPort, st.Range, fmt.Sprintf("%s does not connect output %s of transform %s", b.title, name, st.Spec.Name), "", fmt.Sprintf("add output %q { to = … }", name)))
		}
	}
	slices.SortFunc(st.Inputs, func(x, y Input) int { return slices.Index(inputs, x.Port) - slices.Index(inputs, y.Port) })
	slices.SortFunc(st.Outputs, func(x, y Output) int { return slices.Index(outputs, x.Port) - slices.Index(outputs, y.Port) })
}

// checkKind sees that raw ports read sources, and the others datasets.
func (b stageBlock) checkKind(in Input, port stage.Input) {
	switch {
	case port.Raw && !in.From.Source:
		b.add(newError(codeNotASource, in.Range, fmt.Sprintf("input %s of %s reads %s, which is a dataset", in.Port, b.title, in.From.Addr), fmt.Sprintf("transform %s reads files there", b.stage.Spec.Name), "connect a source"))
	case !port.Raw && in.From.Source:
		b.add(newError(codeNotASource, in.Range, fmt.Sprintf("input %s of %s reads %s, which is a source", in.Port, b.title, in.From.Addr), fmt.Sprintf("transform %s reads tables there", b.stage.Spec.Name), "connect a dataset"))
	}
}

// checkExtends sees that an input whose rows go on in an output is one partition.
func (b stageBlock) checkExtends() {
	for _, out := range b.stage.Spec.Outputs {
		for _, in := range b.stage.Inputs {
			if out.Extends != nil && out.Extends.Port == in.Port && (in.Window != nil || len(in.Collect) > 0) {
				b.add(newError(codeInputMismatch, in.Range, fmt.Sprintf("input %s of %s must be one partition", in.Port, b.title),
					fmt.Sprintf("transform %s passes its rows on to output %s", b.stage.Spec.Name, out.Name), "remove window and collect"))
			}
		}
	}
}

func (b stageBlock) outputSpec(port string) stage.Output {
	i := slices.IndexFunc(b.stage.Spec.Outputs, func(o stage.Output) bool { return o.Name == port })
	return b.stage.Spec.Outputs[i]
}

// checkSchemas holds what the transform reads and writes to the contracts.
func (b stageBlock) checkSchemas() {
	st := b.stage
	b.checkExtends()
	for i, in := range st.Inputs {
		want := st.Spec.Inputs[i].Columns
		if want == nil || in.From.Contract == nil {
			continue
		}
		if problems := readable(want, in.From.Contract.Schema); problems != nil {
			b.add(newError(codeInputMismatch, in.Range, fmt.Sprintf("transform %s cannot read %s at input %s", st.Spec.Name, in.From.Addr, in.Port),
				someOf(problems), fmt.Sprintf("the contract is %s%s", contractsFolder, in.From.ContractPath)))
		}
	}
	for i, out := range st.Outputs {
		b.checkTables(out, st.Spec.Outputs[i])
		schema := st.Spec.Outputs[i].Schema
		if schema == nil || out.To.Contract == nil {
			continue
		}
		if problems := contract.Compare(out.To.Contract.Schema, schema); problems != nil {
			b.add(newError(codeContractMismatch, out.Range, fmt.Sprintf("what transform %s writes at output %s does not fit the contract of %s", st.Spec.Name, out.Port, out.To.Addr),
				someOf(problems), fmt.Sprintf("the contract is %s%s", contractsFolder, out.To.ContractPath)))
		}
	}
}

// someOf joins problems; of many, the first few show what is wrong.
func someOf(problems []string) string {
	const shown = 10
	if n := len(problems) - shown; n > 1 {
		problems = append(slices.Clone(problems[:shown]), fmt.Sprintf("… and %d more", n))
	}
	return strings.Join(problems, "; ")
}

// checkTables holds the further tables of a port to those of its dataset.
func (b stageBlock) checkTables(out Output, port stage.Output) {
	has := map[string]Table{}
	for _, t := range out.To.Tables {
		has[t.Name] = t
	}
	for _, want := range port.Tables {
		t, ok := has[want.Name]
		delete(has, want.Name)
		if !ok {
			b.add(newError(codeContractMismatch, out.Range, fmt.Sprintf("transform %s writes a table %s at output %s, and %s has none", b.stage.Spec.Name, want.Name, out.Port, out.To.Addr),
				"", fmt.Sprintf("add its contract to the dataset: tables = { %s = \"….avsc\" }", want.Name)))
			continue
		}
		if problems := contract.Compare(t.Contract.Schema, want.Schema); problems != nil {
			b.add(newError(codeContractMismatch, out.Range, fmt.Sprintf("what transform %s writes at output %s does not fit the contract of %s for table %s", b.stage.Spec.Name, out.Port, out.To.Addr, t.Name),
				someOf(problems), fmt.Sprintf("the contract is %s%s", contractsFolder, t.ContractPath)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		b.add(newError(codeContractMismatch, out.Range, fmt.Sprintf("%s has a table %s, which transform %s does not write at output %s", out.To.Addr, name, b.stage.Spec.Name, out.Port), "", "remove it from the dataset's tables"))
	}
}

// readable lists what keeps a transform that wants some columns from reading a
// table: columns that are missing, of another type, or null where it expects
// none. Further columns and their order do not matter.
func readable(want, table *arrow.Schema) []string {
	var problems []string
	for _, w := range want.Fields() {
		at := table.FieldIndices(w.Name)
		if len(at) == 0 {
			problems = append(problems, fmt.Sprintf("column %s is missing", w.Name))
			continue
		}
		got := table.Field(at[0])
		if !arrow.TypeEqual(w.Type, got.Type) {
			problems = append(problems, fmt.Sprintf("column %s is %s instead of %s", w.Name, got.Type, w.Type))
		}
		if got.Nullable && !w.Nullable {
			problems = append(problems, fmt.Sprintf("column %s is nullable and should not be", w.Name))
		}
	}
	return problems
}
