package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"dag/engine/addr"
	"dag/engine/diag"
)

// ref is what dataset.LAYER.PRODUCT.TABLE stands for in an expression.
type ref struct {
	dataset *Dataset // nil: declared, and in error
	kind    string
}

var refType = cty.Capsule("dataset", reflect.TypeFor[ref]())

// refObject is the object of layers, products and tables that "dataset" or
// "source" is in an expression.
func (l *loader) refObject(kind string) cty.Value {
	tree := map[string]map[string]map[string]cty.Value{}
	for name, ds := range l.datasets {
		text, ok := strings.CutPrefix(name, kind+" ")
		a, err := addr.ParseDataset(text)
		if !ok || err != nil {
			continue
		}
		if tree[a.Layer] == nil {
			tree[a.Layer] = map[string]map[string]cty.Value{}
		}
		if tree[a.Layer][a.Product] == nil {
			tree[a.Layer][a.Product] = map[string]cty.Value{}
		}
		tree[a.Layer][a.Product][a.Table] = cty.CapsuleVal(refType, &ref{ds, kind})
	}
	layers := map[string]cty.Value{}
	for layer, products := range tree {
		values := map[string]cty.Value{}
		for product, tables := range products {
			values[product] = cty.ObjectVal(tables)
		}
		layers[layer] = cty.ObjectVal(values)
	}
	return cty.ObjectVal(layers)
}

// stageBlock is one instance of a stage block while it is read.
type stageBlock struct {
	block
	stage *Stage
}

func (l *loader) readStages() {
	s := l.scope().with("dataset", l.refObject("dataset")).with("source", l.refObject("source"))
	for _, hclBlock := range l.blocks["stage"] {
		b := l.open(hclBlock, &stageSpec, s)
		b.requireAll()
		instances, ok := b.instances()
		if !ok {
			l.lostWriters = true // what it writes is not known
		}
		for _, i := range instances {
			st := &Stage{Addr: addr.Stage{Name: hclBlock.Labels[0], Instance: i.name}, CPU: 1, Attempts: 1, Range: toRange(hclBlock.DefRange())}
			one := stageBlock{b, st}
			one.scope, one.title = i.scope, "stage "+st.Addr.String()
			if l.ok(one.read) {
				l.config.Stages = append(l.config.Stages, st)
			}
		}
	}
}

func (b stageBlock) read() {
	st := b.stage
	st.Description, _ = b.text("description")
	st.Tags, _ = b.texts("tags")
	st.Timeout, _ = b.duration("timeout")
	b.readResources()
	b.readRetry()
	known := b.readTransform()
	connected := b.ok(b.readPorts)
	if !known {
		return
	}
	b.readParams()
	if connected && b.ok(b.checkPorts) {
		b.checkMapping()
		b.checkSchemas()
	}
}

func (b stageBlock) readTransform() bool {
	name, ok := b.text("transform")
	if !ok {
		return false
	}
	t, ok := b.transforms[name]
	if !ok {
		b.error(codeUnknownTransform, b.at("transform"), fmt.Sprintf("there is no transform %s", name), b.valuesOf("transform"), didYouMean(name, mapKeys(b.transforms)))
		return false
	}
	b.stage.Transform, b.stage.Spec = t, t.Spec()
	return true
}

func (b stageBlock) readResources() {
	hclBlock := b.inner("resources")
	if hclBlock == nil {
		return
	}
	r := b.open(hclBlock, &resourcesSpec, b.scope)
	if v, ok := r.get("cpu", cty.Number); ok {
		const most = 4096
		b.stage.CPU, _ = v.AsBigFloat().Float64()
		if !(b.stage.CPU > 0 && b.stage.CPU <= most) {
			b.error(codeValue, r.at("cpu"), fmt.Sprintf("cpu must be more than 0 and at most %d cores", most), "it is "+show(v), "")
		}
	}
	if text, ok := r.text("memory"); ok {
		n, ok := parseBytes(text)
		if !ok {
			b.error(codeValue, r.at("memory"), "memory is not an amount of memory", fmt.Sprintf("it is %q", text), `write it as in "512MiB" or "2GiB"`)
		}
		b.stage.Memory = n
	}
}

var byteUnits = []struct {
	suffix string
	size   int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// parseBytes reads "512MiB": a whole number above zero and a unit.
func parseBytes(text string) (int64, bool) {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n <= 0 || n > 1<<62/u.size {
			return 0, false
		}
		return n * u.size, true
	}
	return 0, false
}

func (b stageBlock) readRetry() {
	hclBlock := b.inner("retry")
	if hclBlock == nil {
		return
	}
	const most = 100
	r := b.open(hclBlock, &retrySpec, b.scope)
	r.requireAll()
	if n, ok := r.whole("attempts", 1, most); ok {
		b.stage.Attempts = n
	}
	b.stage.Backoff, _ = r.duration("backoff")
}

// readPorts resolves what the input and output blocks connect, in the order of
// the text, whether or not the transform is known.
func (b stageBlock) readPorts() {
	ports := map[string]*hclsyntax.Block{}
	for _, p := range b.hcl.Body.Blocks {
		if p.Type != "input" && p.Type != "output" || !b.checkLabels(p, portLabels) {
			continue
		}
		name := p.Type + " " + p.Labels[0]
		if first := ports[name]; first != nil {
			b.duplicate(p.DefRange(), name+" of "+b.title, first.DefRange())
			continue
		}
		ports[name] = p
		if p.Type == "input" {
			b.readInput(p)
		} else {
			b.readOutput(p)
		}
	}
}

func (b stageBlock) readInput(hclBlock *hclsyntax.Block) {
	p := b.open(hclBlock, &inputSpec, b.scope)
	p.title = fmt.Sprintf("input %s of %s", hclBlock.Labels[0], b.title)
	p.requireAll()
	in := Input{Port: hclBlock.Labels[0], From: p.dataset("from"), Range: toRange(hclBlock.DefRange())}
	in.Collect, _ = p.texts("collect")
	if w := p.inner("window"); w != nil {
		in.Window = p.readWindow(w)
	}
	b.stage.Inputs = append(b.stage.Inputs, in)
}

func (b stageBlock) readOutput(hclBlock *hclsyntax.Block) {
	p := b.open(hclBlock, &outputSpec, b.scope)
	p.title = fmt.Sprintf("output %s of %s", hclBlock.Labels[0], b.title)
	p.requireAll()
	out := Output{Port: hclBlock.Labels[0], To: p.dataset("to"), Range: toRange(hclBlock.DefRange())}
	out.FanOut, _ = p.texts("fan_out")
	b.stage.Outputs = append(b.stage.Outputs, out)
	switch {
	case out.To == nil:
		b.lostWriters = true
	case out.To.Source:
		b.error(codeNotASource, p.at("to"), fmt.Sprintf("%s writes %s, which is a source", p.title, out.To.Addr), "", "sources are delivered by others; write to a dataset")
	default:
		b.wrote(out.To, b.stage.Addr, out.Range)
	}
}

// wrote notes a dataset's writer and reports a second one.
func (l *loader) wrote(ds *Dataset, by addr.Stage, at diag.Range) {
	first, ok := l.writers[ds]
	if !ok {
		l.writers[ds] = writer{by, at}
		return
	}
	l.add(newError(codeTwoWriters, at, fmt.Sprintf("two stages write %s", ds.Addr), fmt.Sprintf("%s at %s, and %s", first.stage, first.at, by), "give each stage a dataset of its own"))
}

// writer is the output that writes a dataset.
type writer struct {
	stage addr.Stage
	at    diag.Range
}

// dataset resolves a reference; nil counts as an error that is reported.
func (b block) dataset(argument string) *Dataset {
	e := b.expr(argument)
	if e == nil {
		return nil
	}
	v, ok := b.eval(e, b.scope)
	if !ok {
		return nil
	}
	if v.IsNull() || !v.Type().Equals(refType) {
		detail := "it is " + show(v)
		if len(keysOf(e, "dataset", "source")) > 0 {
			detail = "the address is not complete"
		}
		b.error(codeType, e.Range(), argument+" must refer to a dataset", detail, "write dataset.LAYER.PRODUCT.TABLE")
		return nil
	}
	ds := v.EncapsulatedValue().(*ref).dataset
	if ds == nil {
		b.errors++ // its own error has been reported
	}
	return ds
}

// readWindow reads a window block.
func (b block) readWindow(hclBlock *hclsyntax.Block) *Window {
	w := &Window{OnShort: "fail", Range: toRange(hclBlock.DefRange())}
	p := b.open(hclBlock, &windowSpec, b.scope)
	p.title = "the window of " + b.title
	p.requireAll()
	p.readBounds(w)
	w.Key, _ = p.text("key")
	if text, ok := p.text("on_short"); ok {
		w.OnShort = text
		if allowed := []string{"fail", "run", "skip"}; !slices.Contains(allowed, text) {
			b.error(codeValue, p.at("on_short"), fmt.Sprintf("on_short cannot be %q", text), "", didYouMean(text, allowed))
		}
	}
	if w.Hi > 0 && !p.flag("lookahead") {
		b.error(codeLookahead, p.at("sessions"), fmt.Sprintf("%s reaches %s into the future", p.title, count(w.Hi, "session")), fmt.Sprintf("sessions is [%d, %d]", w.Lo, w.Hi), "if that is meant, say lookahead = true")
	}
	return w
}

// readBounds reads sessions and min.
func (b block) readBounds(w *Window) {
	const widest = 100_000
	v, ok := b.get("sessions", cty.List(cty.Number))
	if !ok {
		return
	}
	items := v.AsValueSlice()
	if len(items) != 2 || items[0].IsNull() || items[1].IsNull() {
		b.error(codeWindow, b.at("sessions"), "sessions must be a list of two numbers", "it is "+show(v), "as in sessions = [-7, -1]")
		return
	}
	var okLo, okHi bool
	w.Lo, okLo = b.wholeValue("sessions", items[0], -widest, widest)
	w.Hi, okHi = b.wholeValue("sessions", items[1], -widest, widest)
	if !okLo || !okHi {
		return
	}
	if w.Lo > w.Hi {
		b.error(codeWindow, b.at("sessions"), fmt.Sprintf("%s is empty", b.title), fmt.Sprintf("sessions is [%d, %d]", w.Lo, w.Hi), "the first number is the oldest session")
		return
	}
	w.Min = w.Hi - w.Lo + 1
	if v, ok := b.get("min", cty.Number); ok {
		if n, accuracy := v.AsBigFloat().Int64(); accuracy == 0 && n >= 1 && n <= int64(w.Min) {
			w.Min = int(n)
		} else {
			b.error(codeWindow, b.at("min"), fmt.Sprintf("min must be a whole number from 1 to %d", w.Min), fmt.Sprintf("it is %s, and the window has %d sessions", show(v), w.Min), "")
		}
	}
}
