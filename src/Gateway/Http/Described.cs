using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Granary.Gateway.Http;

/// <summary>What the OpenAPI document says of an operation that reads its query and headers itself.</summary>
internal static class Described
{
    /// <summary>Parameters of the query: "name: what it is".</summary>
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, params string[] parameters) => Takes(route, ParameterLocation.Query, parameters);

    /// <summary>Headers of the request: "name: what it is".</summary>
    public static RouteHandlerBuilder TakesHeaders(this RouteHandlerBuilder route, params string[] parameters) => Takes(route, ParameterLocation.Header, parameters);

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
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                });
            }

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

    private static RouteHandlerBuilder Takes(RouteHandlerBuilder route, ParameterLocation location, string[] parameters) => route.WithMetadata([.. parameters.Select(object (parameter) =>
    {
        var colon = parameter.IndexOf(':', StringComparison.Ordinal);
        return new Parameter(parameter[..colon], location, parameter[(colon + 1)..].Trim());
    })]);

    private sealed record Parameter(string Name, ParameterLocation Location, string Description);

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
