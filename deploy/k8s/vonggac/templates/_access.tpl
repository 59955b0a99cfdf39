{{/* What is reached from outside. */}}

{{/* The paths of a component's API, as lines `<kind> <path>`; `/metrics`, `/readyz` and `/livez` are for the cluster alone. */}}
{{- define "vonggac.paths" -}}
Exact /
{{- if eq . "console" }}
{{- range list "acts" "audit" "cameras" "deliveries" "f" "facilities" "files" "health" "language" "live" "obligations" "pictures" "policy-reports" "register" "reports" "requests" "screens" "sign-in" "sign-out" "static" "survey" "urges" "wall" }}
Prefix /{{ . }}
{{- end }}
{{- else }}
Prefix /v1
Prefix /docs
Exact /openapi.json
Prefix /openapi
{{- if eq . "prober" }}
Exact /probe
{{- end }}
{{- end }}
{{- end }}

{{/* The address that browsers use for the console. */}}
{{- define "vonggac.consoleUrl" -}}
{{- if .Values.console.baseUrl }}{{ .Values.console.baseUrl }}{{ else }}https://{{ .Values.hosts.console }}{{ end -}}
{{- end }}
