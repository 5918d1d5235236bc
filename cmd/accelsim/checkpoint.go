package main

import (
	"errors"
	"fmt"

	"github.com/accelsim-dev/accelsim/golden"
	"github.com/accelsim-dev/accelsim/internal/output"
)

// checkpoint is the file that keeps what has been trained.
type checkpoint struct {
	path    string // "" keeps nothing
	resumes bool   // with --resume
	trainer *golden.Trainer
	failed  error // of the last attempt
}

// save writes the checkpoint. A full disk is told at once, but does not end the
// training: the next attempt may succeed, and the result is worth having.
func (p *checkpoint) save() error {
	if p.failed = output.WriteFile(p.path, p.trainer.WriteCheckpoint); p.failed != nil {
		say("warning: --checkpoint: %v; training goes on", p.failed)
	}
	return nil
}

// written is the checkpoint among the files of the command: it has been written,
// or that has failed.
func (p *checkpoint) written() written {
	return written{"checkpoint", func() error { return p.failed }}
}

// explain says what is left of training that was interrupted.
func (p *checkpoint) explain(err error) error {
	if !errors.As(err, new(*golden.Interrupted)) || p.path == "" {
		return err
	}
	if p.failed != nil {
		return join(err, fmt.Errorf("--checkpoint: %w", p.failed))
	}
	again := "the same command with --resume"
	if p.resumes {
		again = "the same command"
	}
	return fmt.Errorf("%w; %s keeps what was trained: %s goes on from there", err, p.path, again)
}
