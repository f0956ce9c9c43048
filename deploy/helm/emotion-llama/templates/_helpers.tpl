{{- define "emotion-llama.name" -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{- end }}

{{- define "emotion-llama.selector" -}}
app.kubernetes.io/name: emotion-llama
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "emotion-llama.labels" -}}
{{ include "emotion-llama.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "emotion-llama.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default (printf "%s-%s" .Chart.AppVersion .Values.variant) }}
{{- end }}

{{- define "emotion-llama.secret" -}}
{{- if .Values.auth.secret }}{{ .Values.auth.secret }}
{{- else if .Values.auth.keys }}{{ include "emotion-llama.name" . }}-keys
{{- end }}
{{- end }}

{{- define "emotion-llama.checkpoint" -}}/weights/{{ .Values.weights.folder }}{{- end }}

{{- define "emotion-llama.dataClaim" -}}
{{- if .Values.data.claim }}{{ .Values.data.claim }}
{{- else if .Values.data.size }}{{ include "emotion-llama.name" . }}-data
{{- end }}
{{- end }}

{{- define "emotion-llama.config" -}}
{{- if .Values.server.config }}{{ .Values.server.config }}
{{- else if ne .Values.weights.source "demo" }}emotion-llama-7b{{ if eq .Values.variant "cpu" }}-cpu{{ end }}
{{- end }}
{{- end }}

{{- define "emotion-llama.graceSeconds" -}}
{{- with .Values.drain }}{{ add .preStop .delay .answers .margin }}{{ end -}}
{{- end }}

{{/* The hosts, with or without a port, that the server itself connects to. */}}
{{- define "emotion-llama.hosts" -}}
{{- $hosts := .Values.media.domains }}
{{- with .Values.auth.oidc.issuer }}{{ $hosts = append $hosts (urlParse .).host }}{{ end }}
{{- toJson (uniq $hosts) -}}
{{- end }}

{{- define "emotion-llama.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- with .Values.pod.fsGroup }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}

{{- define "emotion-llama.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
