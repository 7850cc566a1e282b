using System.Text.Json.Serialization;
using Granary.Abstractions.Clients;
using Granary.Gateway.Http.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Scalar.AspNetCore;

namespace Granary.Gateway.Http;

/// <summary>Puts the HTTP API together.</summary>
public static class HttpHosting
{
    /// <summary>Adds what the API needs, beside the gateway itself.</summary>
    public static IServiceCollection AddGranaryHttp(this IServiceCollection services)
    {
        services.AddOptions<HttpOptions>().ValidateOnStart();
        services.AddSingleton<IValidateOptions<HttpOptions>, HttpOptionsCheck>();
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<HttpOptions>>(static (kestrel, http) =>
        {
            kestrel.Limits.MaxRequestBodySize = http.Value.MaxBodyBytes;
            (kestrel.Limits.MaxConcurrentConnections, kestrel.Limits.MaxConcurrentUpgradedConnections) = (http.Value.MaxConnections, 0);
            kestrel.AddServerHeader = false;
        });
        services.AddSingleton<PartitionAsk>();
        services.AddSingleton<HttpParts>();
        services.AddSingleton<StreamPlaces>();
        services.AddSingleton<LogConsumers>();
        services.AddOptions<LogConsumerOptions>();
        services.AddSingleton<RecordSender>();
        services.AddHostedService(static provider => provider.GetRequiredService<RecordSender>());
        // Numbers are numbers, in answers and in the document that describes them.
        services.ConfigureHttpJsonOptions(static json => json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);
        services.AddOpenApi("v1", static options => options.AddDescriptions());
        return services;
    }

    /// <summary>What every request goes through; before routing.</summary>
    public static IApplicationBuilder UseGranaryHttp(this IApplicationBuilder app)
    {
        // Measures from the start on: none open is a figure too.
        app.ApplicationServices.GetRequiredService<StreamPlaces>();
        return app.UseMiddleware<SafetyHeaders>().UseMiddleware<Refusals>().UseMiddleware<RequestMemory>();
    }

    public static void MapGranaryHttp(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapTopics();
        endpoints.MapProduce();
        endpoints.MapFetch();
        endpoints.MapStream();
        endpoints.MapGroups();
        endpoints.MapResets();
        endpoints.MapGranaryCluster();
        endpoints.MapGranaryDrain();
        endpoints.MapGranaryLive();
        endpoints.MapOpenApi();
        endpoints.MapScalarApiReference("/reference", static options => options.DefaultFonts = false);
    }

    private sealed class HttpOptionsCheck : IValidateOptions<HttpOptions>
    {
        public ValidateOptionsResult Validate(string? name, HttpOptions options)
        {
            var wrong = options.Validate().ToList();
            return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
        }
    }
}
