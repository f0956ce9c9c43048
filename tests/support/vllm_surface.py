"""Lists everything of vLLM that this project uses; `tests/unit/test_vllm_surface.py` checks it.

A row is indented under its module. In parentheses are all arguments that our code passes, or that
vLLM passes to an override of ours; after dots are the attributes that our code reads or overrides.
"""

DOCUMENTED = {
    "contributing/model/basic": """
vllm.config
    VllmConfig
vllm.model_executor.layers.linear
    ColumnParallelLinear
    QKVParallelLinear
    RowParallelLinear
vllm.sequence
    IntermediateTensors
""",
    "contributing/model/multimodal": """
vllm.inputs
    MultiModalDataDict
vllm.model_executor.models.interfaces
    SupportsMultiModal
vllm.model_executor.models.utils
    init_vllm_registered_model
    maybe_prefix
vllm.multimodal
    MULTIMODAL_REGISTRY
vllm.multimodal.inputs
    MultiModalFieldConfig
    MultiModalKwargsItems
vllm.multimodal.parse
    MultiModalDataItems
vllm.multimodal.processing
    BaseDummyInputsBuilder
    BaseMultiModalProcessor
    BaseProcessingInfo
    PromptReplacement
    PromptUpdate
    PromptUpdateDetails
""",
    "design/plugin_system": """
vllm
    ModelRegistry
vllm.plugins
    load_general_plugins
""",
    "design/endpoint_plugins": """
vllm.engine.protocol
    EngineClient
vllm.plugins
    load_endpoint_plugins
vllm.tasks
    SupportedTask
""",
    "features/custom_logitsprocs": """
vllm.v1.sample.logits_processor
    BatchUpdate
    LogitsProcessor
    MoveDirectionality
""",
    "serving/offline_inference": """
vllm
    LLM
    SamplingParams
""",
    "configuration/env_vars": """
vllm
    envs
""",
}
"""Maps pages of docs.vllm.ai to the names that they tell plugins to import."""

IMPORTED = """
vllm
    __path__
vllm.config
    ModelConfig
    StructuredOutputsConfig (backend, disable_any_whitespace)
vllm.config.quantization
    ONLINE_QUANT_SHORTHAND_NAMES
    resolve_quantization_config (quantization, quantization_config)
vllm.distributed
    divide (numerator, denominator)
    get_pp_group ()
    get_tensor_model_parallel_world_size ()
vllm.distributed.parallel_state
    is_global_first_rank ()
vllm.engine.arg_utils
    EngineArgs .gpu_memory_utilization
vllm.entrypoints.launchers.api_server.entry
    run_server_worker (listen_address, sock, args)
vllm.entrypoints.launchers.cli_args
    make_arg_parser (parser)
    validate_parsed_serve_args (args)
vllm.entrypoints.launchers.launcher
    NoSignalServer (config)
    create_server_socket (addr, reuse_port)
    setup_server (args, reuse_port)
vllm.entrypoints.openai.models.serving
    OpenAIServingModels
vllm.entrypoints.serve.exception_handling.error_response
    create_error_response (message)
vllm.entrypoints.serve.utils.api_utils
    cli_env_setup ()
    listen_for_disconnect (request)
    validate_json_request (raw_request)
    with_cancellation (handler_func)
vllm.exceptions
    GenerationError
    GracefulHTTPError (message, http_status)
    VLLMNotFoundError
    VLLMUnprocessableEntityError .parameter .value
    VLLMValidationError (message, parameter)
vllm.inputs
    EngineInput
vllm.logger
    configure_logging_from_args (args)
vllm.model_executor.custom_op
    op_registry_oot
vllm.model_executor.layers.activation
    SiluAndMul .forward_cpu .forward_native
vllm.model_executor.layers.attention
    MMEncoderAttention (num_heads, head_size, scale, prefix)
vllm.model_executor.models.interfaces
    SupportsPP .make_empty_intermediate_tensors
vllm.model_executor.models.utils
    AutoWeightsLoader (module)
    WeightsMapper (orig_to_new_stacked)
vllm.multimodal.media
    MEDIA_CONNECTOR_REGISTRY
    MediaConnector (media_io_kwargs)
    MediaIO
vllm.multimodal.parse
    MultiModalDataParser (video_needs_metadata)
vllm.multimodal.video
    VIDEO_LOADER_REGISTRY
    VideoLoader
vllm.outputs
    RequestOutput .outputs .finished .metrics .prompt_token_ids
vllm.platforms
    builtin_platform_plugins
    current_platform .is_cpu .has_device_capability
vllm.platforms.cpu
    CpuPlatform .check_and_update_config
vllm.renderers
    ChatParams (chat_template_content_format, chat_template_kwargs)
    TokenizeParams (max_total_tokens, add_special_tokens)
vllm.sampling_params
    RequestOutputKind .FINAL_ONLY
vllm.utils.argparse_utils
    FlexibleArgumentParser .parse_args .get_default .error
vllm.utils.cpu_resource_utils
    get_allowed_cpu_list ()
vllm.utils.system_utils
    decorate_logs (process_name, skip_if_decorated)
vllm.utils.torch_utils
    available_cpu_count ()
    set_default_torch_dtype (dtype)
vllm.v1.engine.exceptions
    EngineDeadError
vllm.v1.executor.uniproc_executor
    UniProcExecutor
"""
"""The other names that our code imports, or names to vLLM as text; no page describes them."""

REACHED = """
vllm
    LLM .llm_engine .get_tokenizer
    LLM.generate (prompts, sampling_params, use_tqdm, tokenization_kwargs)
    SamplingParams .temperature .top_p .top_k .seed .max_tokens .logprobs .logprob_token_ids
    SamplingParams .extra_args .output_kind
vllm.config
    ModelConfig .model .revision .served_model_name .hf_config .max_model_len .hf_text_config
    ModelConfig .allowed_local_media_path .allowed_media_domains
    ParallelConfig .data_parallel_size
    SchedulerConfig .max_num_seqs .policy
    VllmConfig .model_config .parallel_config .scheduler_config
vllm.distributed.parallel_state
    GroupCoordinator .world_size
vllm.engine.protocol
    EngineClient .model_config .vllm_config .renderer .errored
    EngineClient.generate (prompt, sampling_params, request_id, trace_headers, priority)
    EngineClient.shutdown (timeout)
vllm.entrypoints.openai.chat_completion.protocol
    ChatCompletionRequest .messages .model .n .max_tokens .max_completion_tokens .min_tokens .echo
    ChatCompletionRequest .logprobs .top_logprobs .prompt_logprobs .bad_words .vllm_xargs
    ChatCompletionRequest .repetition_detection .structured_outputs .response_format .tools
    ChatCompletionRequest .tool_choice .parallel_tool_calls .chat_template .chat_template_kwargs
    ChatCompletionRequest .media_io_kwargs .mm_processor_kwargs .priority .cache_salt
    ChatCompletionRequest .kv_transfer_params .ec_transfer_params
vllm.entrypoints.openai.models.serving
    OpenAIServingModels.model_name ()
    OpenAIServingModels.show_available_models ()
vllm.entrypoints.serve.engine.protocol
    ErrorInfo .code .message .param
    ErrorResponse .error
    ModelCard .id
    ModelList .data
vllm.exceptions
    GracefulHTTPError .message .http_status
    VLLMValidationError .parameter .value
vllm.logprobs
    Logprob .logprob
vllm.model_executor.layers.activation
    SiluAndMul.register_oot (_decorated_op_cls, name)
vllm.model_executor.models.interfaces
    SupportsMultiModal._mark_language_model (vllm_config)
    SupportsMultiModal._mark_tower_model (vllm_config, modalities)
    SupportsMultiModal.configure_mm_token_handling (vocab_size, mm_token_ids)
    SupportsMultiModal.embed_multimodal ()
    SupportsMultiModal.get_placeholder_str (modality, i)
vllm.model_executor.models.llama
    LlamaForCausalLM .model .compute_logits .make_empty_intermediate_tensors
vllm.model_executor.models.utils
    AutoWeightsLoader.load_weights (weights)
    init_vllm_registered_model (vllm_config, prefix, hf_config, architectures)
    maybe_prefix (prefix, name)
vllm.multimodal
    MULTIMODAL_REGISTRY.register_processor (processor, info, dummy_inputs)
vllm.multimodal.inputs
    MultiModalFieldConfig.batched (modality)
vllm.multimodal.media
    MEDIA_CONNECTOR_REGISTRY.register (name)
    MediaConnector (allowed_local_media_path, allowed_media_domains)
    MediaConnector.load_from_url (url, media_io, fetch_timeout)
    MediaConnector.load_from_url_async (url, media_io, fetch_timeout)
vllm.multimodal.processing
    BaseDummyInputsBuilder .info
    BaseDummyInputsBuilder.get_dummy_mm_data (seq_len, mm_counts, mm_options)
    BaseDummyInputsBuilder.get_dummy_text (mm_counts)
    BaseMultiModalProcessor .info
    BaseMultiModalProcessor._apply_prompt_updates_via_text (token_ids, mm_prompt_updates)
    BaseMultiModalProcessor._call_hf_processor (hf_data, hf_kwargs)
    BaseMultiModalProcessor._get_mm_fields_config (hf_inputs, hf_processor_mm_kwargs)
    BaseMultiModalProcessor._get_prompt_updates (mm_items, hf_processor_mm_kwargs, out_mm_kwargs)
    BaseProcessingInfo .ctx .get_tokenizer
    BaseProcessingInfo.get_data_parser ()
    BaseProcessingInfo.get_mm_max_tokens_per_item (seq_len, mm_counts)
    BaseProcessingInfo.get_supported_mm_limits ()
    BaseProcessingInfo.validate_num_items (modality, num_items)
    InputProcessingContext.get_hf_config (typ)
    PromptReplacement (modality, target, replacement)
    PromptUpdateDetails.select_token_id (seq, embed_token_id)
vllm.multimodal.video
    VIDEO_LOADER_REGISTRY.register (name, video_processor)
    VideoLoader.load_bytes (data)
vllm.outputs
    CompletionOutput .text .token_ids .logprobs .finish_reason
    RequestOutput .request_id
vllm.plugins.endpoint_plugins.interface
    EndpointPlugin .name .required_tasks
    EndpointPlugin.attach_router (app)
    EndpointPlugin.init_state (engine_client, state, args)
vllm.renderers.base
    BaseRenderer.get_tokenizer ()
    BaseRenderer.render_chat_async (conversations, chat_params, tok_params)
    BaseRenderer.render_cmpl (prompts)
    BaseRenderer.render_cmpl_async (prompts, tok_params)
vllm.utils.cpu_resource_utils
    LogicalCPUInfo .physical_core
vllm.v1.engine.llm_engine
    LLMEngine .model_config .renderer
    LLMEngine.abort_request (request_ids)
    LLMEngine.add_request (request_id, prompt, params)
    LLMEngine.step ()
vllm.v1.metrics.stats
    RequestStateStats .queued_ts .scheduled_ts
vllm.v1.sample.logits_processor
    BatchUpdate .added .moved .removed
    LogitsProcessor.apply (logits)
    LogitsProcessor.is_argmax_invariant ()
    LogitsProcessor.update_state (batch_update)
    LogitsProcessor.validate_params (sampling_params)
    MoveDirectionality .SWAP
"""
"""What our code calls, overrides or reads without an import of its own."""

FLAGS = """
vllm.engine.arg_utils
    EngineArgs .model .revision .dtype .quantization .load_format .max_model_len .max_num_seqs
    EngineArgs .block_size .kv_cache_dtype .enforce_eager .gpu_memory_utilization
    EngineArgs .kv_cache_memory_bytes .num_gpu_blocks_override .enable_chunked_prefill
    EngineArgs .tensor_parallel_size .pipeline_parallel_size .data_parallel_size
    EngineArgs .distributed_executor_backend .skip_mm_profiling .mm_processor_cache_gb
    EngineArgs .scheduling_policy .structured_outputs_config .logits_processors
    EngineArgs .override_generation_config .use_tqdm_on_load .shutdown_timeout
    EngineArgs .allowed_local_media_path .allowed_media_domains
vllm.entrypoints.launchers.cli_args
    FrontendArgs .host .port .uds .api_key .middleware .allow_credentials .allowed_origins
    FrontendArgs .allowed_methods .allowed_headers .ssl_keyfile .ssl_certfile .ssl_ca_certs
    FrontendArgs .ssl_cert_reqs .ssl_ciphers .uvicorn_log_level .disable_uvicorn_access_log
    FrontendArgs .h11_max_header_count .h11_max_incomplete_event_size
    FrontendArgs .chat_template_content_format
"""
"""The flags of `vllm serve` that our code reads or sets."""

WRITTEN = {
    "platforms/cpu.py": 'os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "spawn"',
    "entrypoints/launchers/launcher.py": "app.state.server = ",
    "entrypoints/launchers/api_server/app_state.py": "state.openai_serving_models = ",
    "entrypoints/generate/base/serving.py": '"X-Vllm-Priority"',
    "v1/engine/utils.py": '"Engine core initialization failed. "',
    "entrypoints/serve/instrumentator/static/swagger-ui-bundle.js": "SwaggerUIBundle",
    "entrypoints/serve/instrumentator/static/swagger-ui.css": "swagger-ui",
}
"""Maps files of vLLM to text in them that our code relies on."""
