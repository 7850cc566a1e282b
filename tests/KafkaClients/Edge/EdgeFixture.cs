using Granary.Support;

namespace Granary.KafkaClients.Edge;

/// <summary>A silo and a gateway at its edge, for tests that leave both running.</summary>
public sealed class EdgeFixture : IAsyncLifetime
{
    private SiloProcess? _silo;
    private EdgeProcess? _edge;

    public EdgeProcess Edge => _edge!;

    /// <summary>By which further gateways find the silo.</summary>
    public string PostgresConnectionString => _silo!.PostgresConnectionString;

    public async ValueTask InitializeAsync()
    {
        _silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        _edge = await EdgeProcess.StartAsync(_silo.PostgresConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_edge is not null)
            await _edge.DisposeAsync();
        if (_silo is not null)
            await _silo.DisposeAsync();
    }
}
