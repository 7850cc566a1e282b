using Granary.Support;

namespace Granary.Chaos;

/// <summary>Two gateways at the edge of a cluster; clients know both.</summary>
internal sealed class EdgeGateways : IAsyncDisposable
{
    private const int Count = 2;

    private EdgeGateways(EdgeProcess[] gateways) => Gateways = gateways;

    public IReadOnlyList<EdgeProcess> Gateways { get; }

    public string Bootstrap => string.Join(',', Gateways.Select(gateway => gateway.KafkaBootstrap));

    public static async Task<EdgeGateways> StartAsync(ClusterProcess cluster)
    {
        var edges = new EdgeGateways([.. Enumerable.Range(0, Count).Select(_ => EdgeProcess.Launch(cluster.Postgres.ConnectionString, ClusterProcess.ClusterId))]);
        try
        {
            await Task.WhenAll(edges.Gateways.Select(gateway => gateway.ReadyAsync()));
            return edges;
        }
        catch
        {
            await edges.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(Gateways.Select(gateway => gateway.DisposeAsync().AsTask()));
}
