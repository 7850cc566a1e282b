using Granary.Gateway.Hosting;

namespace Granary.Unit.Gateway.Hosting;

public sealed class HealthQuestionTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://+:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://*:8080", "http://127.0.0.1:8080/health/ready")]
    [InlineData("http://[::]:8080", "http://[::1]:8080/health/ready")]
    [InlineData("http://localhost:81;http://other:82", "http://localhost:81/health/ready")]
    public void Url_IsOneThatThisMachineReaches(string listened, string asked) =>
        Assert.Equal(asked, HealthQuestion.UrlOf(listened, "/health/ready").ToString());
}
