package graph

import (
	"os/exec"
	"strings"
	"testing"
)

// strange is a drawing whose names hold what the formats would take for syntax.
func strange() *Drawing {
	d := NewDrawing("stage")
	d.AddNode(Node{ID: `raw.x.a"b`, Kind: SourceNode, Label: []string{`a"b`, `back\slash"`}, Layer: "raw"})
	d.AddNode(Node{ID: `level["or_low"]`, Kind: StageNode, Label: []string{`level["or_low"]`}, Layer: "silver", State: "run", Fill: "#fce5cd"})
	d.AddNode(Node{ID: "silver.x.c", Kind: DatasetNode, Label: []string{"line\nbreak"}, Layer: "silver", State: "fresh", Fill: "#d9ead3"})
	d.AddNode(Node{ID: "free", Kind: PartitionNode, Label: []string{"free"}})
	d.AddNode(Node{ID: "free", Kind: PartitionNode, Label: []string{"a second time"}})
	d.AddEdge(Edge{From: `raw.x.a"b`, To: `level["or_low"]`, Label: `say "it"`})
	d.AddEdge(Edge{From: `level["or_low"]`, To: "silver.x.c"})
	d.AddEdge(Edge{From: `level["or_low"]`, To: "silver.x.c"})
	d.AddEdge(Edge{From: "silver.x.c", To: "not drawn"})
	return d
}

const strangeDOT = `digraph dag {
  graph [rankdir=LR, fontname="Helvetica", nodesep=0.25, ranksep=0.6];
  node [fontname="Helvetica", fontsize=10];
  edge [fontname="Helvetica", fontsize=9, color="#666666"];
  subgraph "cluster_raw" {
    label="raw";
    style=rounded;
    color="#bbbbbb";
    "raw.x.a\"b" [label="a\"b\nback\\slash\"", shape=folder];
  }
  subgraph "cluster_silver" {
    label="silver";
    style=rounded;
    color="#bbbbbb";
    "level[\"or_low\"]" [label="level[\"or_low\"]", shape=box, fillcolor="#fce5cd", style="rounded,filled", tooltip="run"];
    "silver.x.c" [label="line\nbreak", shape=cylinder, fillcolor="#d9ead3", style="filled", tooltip="fresh"];
  }
  "free" [label="free", shape=note];
  "raw.x.a\"b" -> "level[\"or_low\"]" [label="say \"it\""];
  "level[\"or_low\"]" -> "silver.x.c";
}
`

const strangeMermaid = `flowchart LR
  subgraph "raw"
    n0[/"a#quot;b<br>back\slash#quot;"/]
  end
  subgraph "silver"
    n1("level[#quot;or_low#quot;]")
    n2[("line break")]
  end
  n3["free"]
  n0 -->|"say #quot;it#quot;"| n1
  n1 --> n2
  classDef run fill:#fce5cd
  classDef fresh fill:#d9ead3
  class n1 run
  class n2 fresh
`

func TestDOT(t *testing.T) {
	var b strings.Builder
	if err := strange().DOT(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != strangeDOT {
		t.Errorf("got\n%s\nwant\n%s", b.String(), strangeDOT)
	}
}

func TestMermaid(t *testing.T) {
	var b strings.Builder
	if err := strange().Mermaid(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != strangeMermaid {
		t.Errorf("got\n%s\nwant\n%s", b.String(), strangeMermaid)
	}
}

// TestGraphvizTakesIt asks Graphviz itself, where it is installed.
func TestGraphvizTakesIt(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz is not installed")
	}
	cmd := exec.Command(dot, "-Tplain")
	cmd.Stdin = strings.NewReader(strangeDOT)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := strings.Count(string(out), "\nnode "); got != 4 {
		t.Errorf("%d nodes:\n%s", got, out)
	}
}
