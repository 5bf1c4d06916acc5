#compdef casehook
# Completion of casehook for zsh.
_casehook() {
	local -a lines described
	local line name
	lines=("${(@f)$(casehook complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ ${lines[1]} == ":file" ]]; then
		[[ $PREFIX == --*=* ]] && compset -P '*='
		_files
		return
	fi
	for line in $lines; do
		name=${line%%$'\t'*}
		if [[ $line == *$'\t'* ]]; then
			described+=("${name//:/\\:}:${line#*$'\t'}")
		else
			described+=("${name//:/\\:}")
		fi
	done
	(( $#described )) && _describe casehook described
}
if [[ $funcstack[1] == _casehook ]]; then
	_casehook "$@"
else
	compdef _casehook casehook
fi
