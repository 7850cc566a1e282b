using System.Net.Sockets;
using Granary.Grains.Storage;
using Npgsql;

namespace Granary.Unit.Storage;

public sealed class PostgresAwayTests
{
    /// <summary>What the name of a stopped container gives, as Npgsql passes it on, and as the socket says it.</summary>
    [Fact]
    public async Task Explains_AHostNameThatCannotBeLookedUp()
    {
        await using var source = NpgsqlDataSource.Create("Host=postgres.invalid;Username=granary;Timeout=5");
        var failure = await Assert.ThrowsAnyAsync<Exception>(async () => await source.OpenConnectionAsync(TestContext.Current.CancellationToken));
        Assert.True(PostgresAway.Explains(new SocketException((int)SocketError.HostNotFound)));
        Assert.True(PostgresAway.Explains(failure));
    }

    [Fact]
    public async Task Explains_ARefusedConnection()
    {
        await using var source = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=granary;Timeout=5");
        Assert.True(PostgresAway.Explains(await Assert.ThrowsAnyAsync<Exception>(async () => await source.OpenConnectionAsync(TestContext.Current.CancellationToken))));
    }

    [Fact]
    public void Explains_NoDefectAndNoCancellation()
    {
        Assert.False(PostgresAway.Explains(new InvalidOperationException()));
        Assert.False(PostgresAway.Explains(new OperationCanceledException()));
    }
}
