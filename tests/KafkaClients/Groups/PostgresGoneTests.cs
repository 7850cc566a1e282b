using Granary.Support;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.KafkaClients.Groups;

/// <summary>What a coordinator's silo throws while PostgreSQL is away has to reach a gateway elsewhere as what it is: who asks for positions is told to come again.</summary>
public sealed class PostgresGoneTests
{
    [Fact]
    public async Task AGroup_WithoutPostgres_IsNotAvailableAtTheEdgeEither()
    {
        await using var postgres = await PostgresProcess.StartAsync();
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { ConnectionString = postgres.ConnectionString });
        await using var edge = await EdgeProcess.StartAsync(postgres.ConnectionString);
        await using var wire = await GroupWire.ConnectAsync(edge.KafkaBootstrap);
        await postgres.KillAsync();
        Assert.Equal(Code.CoordinatorLoadInProgress, await wire.FetchAsync("never-opened", null, -1));
        await postgres.StartAgainAsync();
        await Eventually.IsTrueAsync(async () => await wire.FetchAsync("never-opened", null, -1) == Code.None, () => "it does not come back");
    }
}
