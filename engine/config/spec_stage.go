package config

var stageSpec = BlockSpec{
	Type: "stage", Labels: []string{"name"},
	Doc: "Makes partitions of its outputs from partitions of its inputs, by a transform. One run makes one unit: the values of the keys that inputs and outputs share.",
	Arguments: []ArgumentSpec{
		forEachArgument,
		{Name: "transform", Type: typeText, Required: true, Doc: "What it runs: one of the transforms that are compiled in."},
		descriptionArgument,
		{Name: "params", Type: "object", Default: "the defaults of the transform", Doc: "Values of the transform's parameters. A change makes what the stage has made stale."},
		{Name: "timeout", Type: typeDuration, Default: "none", Doc: "How long one attempt may take."},
		tagsArgument,
	},
	Blocks: []*BlockSpec{&inputSpec, &outputSpec, &resourcesSpec, &retrySpec},
	Example: `stage "approach" {
  for_each  = toset(local.levels)
  transform = "silver.future.level_approach2m"
  input "bars" { from = dataset.silver.future.market_by_price_10_bar5s }
  input "levels" { from = dataset.silver.future.market_by_price_10_first4h }
  output "approach" { to = dataset.silver.future["market_by_price_10_${each.key}_approach2m"] }
  params = { level = each.key }
}`,
}

// portLabels name the port of an input or output.
var portLabels = []string{"port"}

var inputSpec = BlockSpec{
	Type: "input", Labels: portLabels, Doc: "Connects an input of the transform. Each must be connected once.",
	Arguments: []ArgumentSpec{
		{Name: "from", Type: typeReference, Required: true, Doc: "`dataset.…`, or `source.…` where the transform reads files."},
		{Name: "collect", Type: typeTexts, Default: "none", Doc: "Keys of the input that the output lacks: all their complete partitions are read. Required for such keys, so that nothing is collapsed silently."},
	},
	Blocks: []*BlockSpec{&windowSpec},
}

var outputSpec = BlockSpec{
	Type: "output", Labels: portLabels, Doc: "Connects an output of the transform. Each must be connected once, and one stage alone writes a dataset. All outputs of a run are published together.",
	Arguments: []ArgumentSpec{
		{Name: "to", Type: typeReference, Required: true, Doc: "`dataset.…`."},
		{Name: "fan_out", Type: typeTexts, Default: "none", Doc: "Keys whose values are known only when the run has read its input. Required for such keys."},
	},
}

var windowSpec = BlockSpec{
	Type: "window", Doc: "Reads several partitions along one key, counted from the output's own value.", Once: true,
	Arguments: []ArgumentSpec{
		{Name: "key", Type: typeText, Required: true, Doc: "A key of input and output. A date is counted in sessions of its calendar, any other in the sorted values that there are."},
		{Name: "sessions", Type: "list of two numbers", Required: true, Doc: "Oldest and newest, relative to the output's own: `[-7, -1]` are the seven before it."},
		{Name: "min", Type: typeNumber, Default: "the whole window", Doc: "How many of them must exist."},
		{Name: "on_short", Type: "`fail`, `skip` or `run`", Default: "`fail`", Doc: "What becomes of a run for which fewer exist: it fails, is left out, or runs with those that do."},
		{Name: "lookahead", Type: typeBool, Default: "false", Doc: "Must be true for a window that ends after the output's own session."},
	},
	Example: `window {
  key      = "dt"
  sessions = [-7, -1]
  min      = 3
  on_short = "run"
}`,
}

var resourcesSpec = BlockSpec{
	Type: "resources", Doc: "What one run needs. It decides how many run at once, and is not part of any fingerprint.", Once: true,
	Arguments: []ArgumentSpec{
		{Name: "cpu", Type: typeNumber, Default: "1", Doc: "Cores."},
		{Name: "memory", Type: `amount of memory, as "512MiB"`, Default: "the transform's own, or what was measured if that is less", Doc: "Bytes at the peak, in B, KB, MB, GB, TB, KiB, MiB, GiB or TiB."},
	},
}

var retrySpec = BlockSpec{
	Type: "retry", Doc: "Tries a failed run again. It is not part of any fingerprint.", Once: true,
	Arguments: []ArgumentSpec{
		{Name: "attempts", Type: typeNumber, Required: true, Doc: "How often it is tried in all, from 1 to 100."},
		{Name: "backoff", Type: typeDuration, Default: "0s", Doc: "The wait before the second attempt; it doubles for each further one."},
	},
}
