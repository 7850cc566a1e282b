using System.Net;

namespace Granary.Unit.Gateway.Http;

/// <summary>Topics made and changed by HTTP, before a cluster in memory.</summary>
public sealed class TopicTests
{
    [Fact]
    public async Task Changes_ThatAreSavedButCannotBeReadBack_AreToldAsMade()
    {
        await using var http = await TestHttp.StartAsync();

        Break();
        Assert.Equal(HttpStatusCode.Created, (await http.PostAsync("/topics", """{"name":"made","partitionCount":1}""")).Status);
        Assert.Contains(http.Log.Warnings, line => line.Contains("could not read the change yet", StringComparison.Ordinal));
        http.Cluster.BeforeCatalog = () => Task.CompletedTask;
        Assert.Equal(HttpStatusCode.Created, (await http.PostAsync("/topics/made/records", """{"value":1}""")).Status);

        Break();
        var (status, grown) = await http.SendAsync(HttpMethod.Patch, "/topics/made", """{"partitionCount":3}""");
        Assert.Equal((HttpStatusCode.OK, 3), (status, grown.GetProperty("partitionCount").GetInt32()));
        Assert.Equal(HttpStatusCode.NoContent, (await http.SendAsync(HttpMethod.Patch, "/topics/made/config", """{"retention.ms":60000}""")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await http.SendAsync(HttpMethod.Delete, "/topics/made")).Status);

        void Break() => http.Cluster.BeforeCatalog = () => throw new TimeoutException("the catalog is between silos");
    }
}
