package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/accelsim-dev/accelsim/internal/schemas"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema " + strings.Join(schemas.Names(), "|"),
		Short: "Print a JSON Schema of a file, for editors that complete and check it",
		Example: "  accelsim schema workload > workload.schema.json\n" +
			"  accelsim schema hardware",
		ValidArgs: schemas.Names(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("schema takes one of " + strings.Join(schemas.Names(), ", ")))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			text, err := schemas.Write(args[0])
			if err != nil {
				return usage(err)
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
}
