using Granary.Gateway.Kafka.Apis;
using Granary.Gateway.Kafka.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace Granary.Gateway.Kafka;

/// <summary>The map of the protocol as it is served: every request that is taken, its versions, and its handler.</summary>
internal static class KafkaApis
{
    public static ApiTable Map(IServiceProvider services)
    {
        var table = new ApiTable();
        table.Add(new Api<ProduceRequest, ProduceResponse>(ProduceRequest.ApiKey, "produce", ProduceApi.LowestVersion, ProduceApi.HighestVersion)
        {
            Read = ProduceRequest.Read,
            Write = static (response, writer, version) => response.Write(writer, version),
            HasFlexibleReplyHeader = ProduceRequest.IsFlexible,
            Handle = services.GetRequiredService<ProduceApi>().HandleAsync,
        });
        table.Add(new Api<FetchRequest, FetchResponse>(FetchRequest.ApiKey, "fetch", FetchApi.LowestVersion, FetchApi.HighestVersion)
        {
            Read = FetchRequest.Read,
            Write = static (response, writer, version) => response.Write(writer, version),
            HasFlexibleReplyHeader = FetchRequest.IsFlexible,
            Handle = services.GetRequiredService<FetchApi>().HandleAsync,
        });
        table.Add(new Api<ApiVersionsRequest, ApiVersionsResponse>(ApiVersionsRequest.ApiKey, "api_versions", ApiVersionsApi.LowestVersion, ApiVersionsApi.HighestVersion)
        {
            Read = ApiVersionsRequest.Read,
            Write = static (response, writer, version) => response.Write(writer, version),
            HasFlexibleReplyHeader = static _ => false,
            Handle = new ApiVersionsApi(table).HandleAsync,
        });
        return table;
    }
}
