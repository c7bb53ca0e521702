package main

import "github.com/spf13/pflag"

// repeated are those of the options that were given, as arguments for another
// command that must name addresses in the same way.
func repeated(f *pflag.FlagSet, names ...string) []string {
	var args []string
	for _, name := range names {
		flag := f.Lookup(name)
		if !flag.Changed {
			continue // a value from the environment is there again
		}
		option := "--" + name
		if flag.Shorthand != "" {
			option = "-" + flag.Shorthand
		}
		switch list, ok := flag.Value.(pflag.SliceValue); {
		case ok:
			for _, value := range list.GetSlice() {
				args = append(args, option, value)
			}
		case flag.Value.Type() == "bool" && flag.Value.String() == "true":
			args = append(args, option)
		case flag.Value.Type() == "bool":
			args = append(args, option+"=false")
		default:
			args = append(args, option, flag.Value.String())
		}
	}
	return args
}
