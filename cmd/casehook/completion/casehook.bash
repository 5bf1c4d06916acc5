# Completion of casehook for bash.
_casehook() {
	local cur=${COMP_WORDS[COMP_CWORD]} line
	[[ $cur == = ]] && cur=
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ $line == :file ]]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
			return
		fi
		line=${line%%$'\t'*}
		# Bash replaces the part behind = alone.
		[[ $cur == --*=* ]] || line=${line#--*=}
		COMPREPLY+=("$line")
	done < <(casehook complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _casehook casehook
