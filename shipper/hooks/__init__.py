"""The hooks that make git ask shipper before a commit and before a push: `place` says where a repository's hooks
live, `text` what stands in them, `kept` what becomes of a hook that is there already, `install` puts them there and
takes them away, `framework` speaks to the pre-commit framework."""
