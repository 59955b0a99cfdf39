{{/* Names, labels, images and Secrets. Most take a list: the root context, then the component. */}}

{{- define "vonggac.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 36 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 36 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 36 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Labels that never change: a Deployment's selector is immutable. */}}
{{- define "vonggac.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "vonggac.labels" -}}
{{- $root := index . 0 -}}
{{ include "vonggac.selector" . }}
app.kubernetes.io/part-of: vonggac
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* A component's metadata; a third item is a suffix of the name. */}}
{{- define "vonggac.metadata" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
name: {{ include "vonggac.fullname" $root }}-{{ $component }}{{ if gt (len .) 2 }}{{ index . 2 }}{{ end }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  {{- include "vonggac.labels" (list $root $component) | nindent 2 }}
{{- end }}

{{/* An image of the platform, by the values of its component or of the test pod. */}}
{{- define "vonggac.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $root.Values.image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default $root.Chart.AppVersion $root.Values.image.tag }}{{ end -}}
{{- end }}

{{/* The Secret of a key of `secrets`: as named, else with the prefix. Empty when neither is set. */}}
{{- define "vonggac.secret" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $named := index $root.Values.secrets $key -}}
{{- if $named -}}
{{- $named -}}
{{- else if $root.Values.secrets.prefix -}}
{{- printf "%s-%s" $root.Values.secrets.prefix (kebabcase $key) -}}
{{- end -}}
{{- end }}

{{/* The key of `secrets` of a component's login: natsInventory, postgresReporting. */}}
{{- define "vonggac.loginSecret" -}}
{{- include "vonggac.secret" (list (index . 0) (printf "%s%s" (index . 2) (title (index . 1)))) -}}
{{- end }}
