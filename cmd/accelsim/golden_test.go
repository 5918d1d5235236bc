package main

import (
	"strings"
	"testing"
)

// TestTables holds every table that a user sees to its golden file.
func TestTables(t *testing.T) {
	for _, c := range []struct{ name, args string }{
		{"run-lenet1.txt", "run --net lenet1 --k 1 --n 2"},
		{"run-lenet1-untimed.txt", "run --net lenet1 --k 4 --n 1 --classifier random --timing off"},
		{"run-lenet1-equations.txt", "run --net lenet1 --k 4 --n 1 --traffic equations --timing off"},
		{"run-lenet1-pipelined.txt", "run --net lenet1 --k 5 --n 2 --schedule pipelined"},
		{"run-lenet1.csv", "run --net lenet1 --k 1 --n 2 --timing off --format csv"},
		{"run-lenet1.json", "run --net lenet1 --k 1 --n 2 --timing off --format json"},
		{"run-lenet1-resident.txt", "run --net lenet1 --k 4 --n 2 --batch 16 --hw zcu102 --residency resident --skip-unread --timing off"},
		{"schedule-lenet1-skip-unread.txt", "schedule --net lenet1 --k 4 --n 2 --block 2 --skip-unread"},
		{"schedule-lenet1.txt", "schedule --net lenet1 --k 4 --n 2"},
		{"schedule-lenet1-all.txt", "schedule --net lenet1 --k 4 --n 4 --all --interval 2 --traffic equations"},
		{"schedule-lenet1-block.txt", "schedule --net lenet1 --k 1 --n 2 --block 2 --classifier random"},
		{"schedule-lenet1.json", "schedule --net lenet1 --k 1 --n 4 --interval 2 --format json"},
		{"list-nets.txt", "list nets"},
		{"list-datasets.txt", "list datasets"},
		{"list-datasets.csv", "list datasets --format csv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			holdToFile(t, c.name, succeed(t, strings.Fields(c.args)...))
		})
	}
}
