using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Granary.Gateway.Http;

/// <summary>What the OpenAPI document says of an operation that reads its query and headers itself.</summary>
internal static class Described
{
    /// <summary>Parameters of the query that are text: "name: what it is".</summary>
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, params string[] parameters) => Takes(route, ParameterLocation.Query, parameters);

    /// <summary>A parameter of the query that is a number within bounds, both inclusive.</summary>
    /// <param name="parameter">"name: what it is".</param>
    /// <param name="most">By the settings; null: what a long holds.</param>
    public static RouteHandlerBuilder TakesNumber(this RouteHandlerBuilder route, string parameter, long least, Func<HttpOptions, long>? most = null) =>
        route.WithMetadata(Read(parameter, ParameterLocation.Query) with { Least = least, Most = most ?? (static _ => long.MaxValue) });

    /// <summary>A parameter of the query that is true or false: "name: what it is".</summary>
    public static RouteHandlerBuilder TakesFlag(this RouteHandlerBuilder route, string parameter) => route.WithMetadata(Read(parameter, ParameterLocation.Query) with { Type = JsonSchemaType.Boolean });

    /// <summary>Headers of the request: "name: what it is".</summary>
    public static RouteHandlerBuilder TakesHeaders(this RouteHandlerBuilder route, params string[] parameters) => Takes(route, ParameterLocation.Header, parameters);

    /// <summary>Records: one or a list as JSON, or a value as it is.</summary>
    public static RouteHandlerBuilder TakesRecords(this RouteHandlerBuilder route) => route.WithMetadata(new Records());

    /// <summary>An answer of server-sent events.</summary>
    public static RouteHandlerBuilder ProducesEvents(this RouteHandlerBuilder route) => route.Produces<string>(StatusCodes.Status200OK, "text/event-stream");

    public static void AddDescriptions(this OpenApiOptions options)
    {
        options.AddDocumentTransformer(static (document, _, _) =>
        {
            document.Info.Title = "Granary";
            document.Info.Description = "Topics, records, consumer groups and the cluster. Errors are problems (RFC 9457) that carry Kafka's code.";
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(static async (operation, context, cancellation) =>
        {
            foreach (var taken in context.Description.ActionDescriptor.EndpointMetadata.OfType<Parameter>())
            {
                (operation.Parameters ??= []).Add(new OpenApiParameter
                {
                    Name = taken.Name,
                    In = taken.Location,
                    Description = taken.Description,
                    Schema = taken.ToSchema(context.ApplicationServices.GetRequiredService<IOptions<HttpOptions>>().Value),
                });
            }

            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<Records>().Any())
                operation.RequestBody = await RecordsBodyAsync(context, cancellation);

            // Every operation may refuse.
            operation.Responses ??= [];
            operation.Responses["default"] = new OpenApiResponse
            {
                Description = "A problem (RFC 9457)",
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new() { Schema = await context.GetOrCreateSchemaAsync(typeof(ProblemAnswer), parameterDescription: null, cancellation) },
                },
            };
        });
    }

    private static RouteHandlerBuilder Takes(RouteHandlerBuilder route, ParameterLocation location, string[] parameters) =>
        route.WithMetadata([.. parameters.Select(object (parameter) => Read(parameter, location))]);

    private static Parameter Read(string parameter, ParameterLocation location)
    {
        var colon = parameter.IndexOf(':', StringComparison.Ordinal);
        return new Parameter(parameter[..colon], location, parameter[(colon + 1)..].Trim());
    }

    private static async Task<OpenApiRequestBody> RecordsBodyAsync(OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        var one = await context.GetOrCreateSchemaAsync(typeof(RecordBody), parameterDescription: null, cancellation);
        one.AdditionalPropertiesAllowed = false;
        var list = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "records" },
            AdditionalPropertiesAllowed = false,
            Properties = new Dictionary<string, IOpenApiSchema> { ["records"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = one, MinItems = 1 } },
        };
        return new OpenApiRequestBody
        {
            Required = true,
            Description = "As JSON one record, or several as a list. Otherwise the record's value itself.",
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/json"] = new() { Schema = new OpenApiSchema { OneOf = [one, list] } },
                ["application/octet-stream"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
                ["text/plain"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String } },
            },
        };
    }

    private sealed record Parameter(string Name, ParameterLocation Location, string Description)
    {
        public JsonSchemaType Type { get; init; } = JsonSchemaType.String;

        public long Least { get; init; }

        /// <summary>Not null: it is a number.</summary>
        public Func<HttpOptions, long>? Most { get; init; }

        public OpenApiSchema ToSchema(HttpOptions options) => Most is null ? new OpenApiSchema { Type = Type } : new OpenApiSchema
        {
            Type = JsonSchemaType.Integer,
            Format = "int64",
            Minimum = Least.ToString(CultureInfo.InvariantCulture),
            Maximum = Most(options).ToString(CultureInfo.InvariantCulture),
        };
    }

    private sealed record Records;

    /// <summary>A record as a body has it (<see cref="RecordInput"/> reads it member by member).</summary>
    internal sealed record RecordBody
    {
        [Description("Text is its UTF-8, {\"base64\": \"…\"} those bytes, null none, and everything else its own JSON.")]
        public JsonElement? Key { get; init; }

        [Description("As the key.")]
        public JsonElement? Value { get; init; }

        public IReadOnlyList<RecordHeaderBody>? Headers { get; init; }

        [Range(0, int.MaxValue)]
        [Description("Left out: by the key, as Kafka's default partitioner has it; without a key any.")]
        public int? Partition { get; init; }

        [Description("Milliseconds since 1970, or a time as RFC 3339 writes it; left out: now.")]
        public JsonElement? Timestamp { get; init; }
    }

    internal sealed record RecordHeaderBody(string Name)
    {
        [Description("As a record's key.")]
        public JsonElement? Value { get; init; }
    }

    internal sealed record ProblemAnswer(int Status, string Title, string Detail, string Instance)
    {
        /// <summary>The name of Kafka's code, where there is one.</summary>
        public string? KafkaError { get; init; }

        /// <summary>Of the body, or the parameter's or header's name.</summary>
        public string? Field { get; init; }

        /// <summary>That was passed.</summary>
        public object? Limit { get; init; }
    }
}
