package exec_test

import (
	"fmt"
	"testing"

	"dag/engine/exec"
)

// BenchmarkQueue adds a million nodes, starts and ends each, two at a time: chains
// as long as the shipped pipeline is deep, one chain of all, all at once, and a fan
// that meets again.
func BenchmarkQueue(b *testing.B) {
	const n = 1_000_000
	for _, shape := range []struct {
		name string
		deps func(id int) []int
	}{
		{"chains of 10", func(id int) []int {
			if id%10 == 0 {
				return nil
			}
			return []int{id - 1}
		}},
		{"one chain", func(id int) []int {
			if id == 0 {
				return nil
			}
			return []int{id - 1}
		}},
		{"all ready", func(int) []int { return nil }},
		{"fan", func(id int) []int {
			switch {
			case id == 0:
				return nil
			case id == n-1:
				all := make([]int, n-2)
				for i := range all {
					all[i] = i + 1
				}
				return all
			}
			return []int{0}
		}},
	} {
		b.Run(shape.name, func(b *testing.B) {
			nodes := make([]exec.Node, n)
			for id := range nodes {
				nodes[id] = exec.Node{ID: id, Deps: shape.deps(id)}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := drain(exec.NewQueue(exec.Limits{Workers: 2}), nodes); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "nodes/s")
		})
	}
}

// drain runs all nodes to their end.
func drain(q *exec.Queue, nodes []exec.Node) error {
	q.Add(nodes...)
	var running []int
	for ended := 0; ended < len(nodes); ended++ {
		for {
			id, ok := q.Next()
			if !ok {
				break
			}
			running = append(running, id)
		}
		if len(running) == 0 {
			return fmt.Errorf("nothing runs after %d nodes", ended)
		}
		q.End(running[0], true)
		running = append(running[:0], running[1:]...)
	}
	return nil
}
