package sweep

import (
	"fmt"
	"io"
	"strings"
)

// Job is a sweep on more than one machine: the same command, run once for each
// shard.
type Job struct {
	Shards  int
	Command []string // the program and its arguments, without --emit
	Folder  string   // where it runs
	Image   string   // of the container
	Claim   string   // the PersistentVolumeClaim that is mounted at Folder
	CPUs    int      // for each shard
}

// quote makes one word of shell.
func quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// WriteSlurm writes a batch script: a job array with one task a shard. A task
// can be run again alone: the number of shards is in the command, so that its
// number stays its index.
func (j Job) WriteSlurm(w io.Writer) error {
	words := make([]string, len(j.Command))
	for i, word := range j.Command {
		words[i] = quote(word)
	}
	_, err := fmt.Fprintf(w, `#!/bin/bash
# A sweep in %d shards. Submit:     sbatch sweep.sh
# What is missing afterwards:       accelsim sweep merge DIR
# One shard again, the fourth:      sbatch --array=3 sweep.sh
#SBATCH --job-name=accelsim-sweep
#SBATCH --array=0-%d
#SBATCH --cpus-per-task=%d
#SBATCH --chdir=%s
#SBATCH --requeue
export GOMAXPROCS=${SLURM_CPUS_PER_TASK:-%d}
exec %s
`, j.Shards, j.Shards-1, j.CPUs, quote(j.Folder), j.CPUs, strings.Join(words, " "))
	return err
}

// WriteKubernetes writes an Indexed Job with one pod a shard. The folder, with
// all files that the command names, is a volume that all pods share.
func (j Job) WriteKubernetes(w io.Writer) error {
	words := make([]string, len(j.Command))
	for i, word := range j.Command {
		words[i] = yamlText(word)
	}
	_, err := fmt.Fprintf(w, `# A sweep in %d shards. Start:      kubectl apply -f sweep.yaml
# What is missing afterwards:       accelsim sweep merge DIR
apiVersion: batch/v1
kind: Job
metadata:
  name: accelsim-sweep
spec:
  completionMode: Indexed
  completions: %d
  parallelism: %d
  backoffLimitPerIndex: 3
  maxFailedIndexes: %d
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: shard
          image: %s
          workingDir: %s
          command: [%s]
          resources:
            requests: {cpu: %q}
            limits: {cpu: %q}
          volumeMounts:
            - {name: sweep, mountPath: %s}
      volumes:
        - name: sweep
          persistentVolumeClaim: {claimName: %s}
`, j.Shards, j.Shards, j.Shards, j.Shards, yamlText(j.Image), yamlText(j.Folder), strings.Join(words, ", "),
		fmt.Sprint(j.CPUs), fmt.Sprint(j.CPUs), yamlText(j.Folder), yamlText(j.Claim))
	return err
}

// yamlText writes a double-quoted YAML scalar.
func yamlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
